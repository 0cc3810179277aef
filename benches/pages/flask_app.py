"""The pages of `compare.py` in Flask: gunicorn -w 2 --threads 16 -k gthread flask_app:app"""

from flask import Flask, render_template, request, session

app = Flask(__name__)
app.config["SECRET_KEY"] = "only good for measuring"
ROWS = [{"id": i, "name": f"Item <{i}> & more", "price": i * 100 + 99} for i in range(50)]


@app.get("/page")
def page():
    return render_template("rows.html", rows=ROWS, count=len(ROWS))


@app.get("/item/<int:id>")
def item(id):
    return str(id)


@app.get("/visits")
def visits():
    session["visits"] = session.get("visits", 0) + 1
    session["name"] = "Ada Lovelace"
    return str(session["visits"])


@app.post("/form")
def form():
    title, body = request.form["title"], request.form["body"]
    return f"{len(title)} {len(body)} {request.form.get('page', 1, type=int)}"
