"""A page of Streamlit."""

import streamlit as st

st.title("Stock")
st.write("Boxes:", 3 * st.slider("Times three", 0, 100, 7))
