from fastapi import FastAPI

app = FastAPI()
app.root_path = "/api/"
