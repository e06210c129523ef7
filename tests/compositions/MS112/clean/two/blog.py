import blog_config
from flask import Flask

app = Flask(__name__)
app.config["TITLE"] = blog_config.TITLE


@app.get("/")
def home():
    from blog_labels import label

    return label
