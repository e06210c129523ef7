"""The chat of Gradio's quick start."""

import gradio as gr


def answer(message, history):
    return f"{len(history)}: {message}"


demo = gr.ChatInterface(answer)
