// Shows what is said, says what is typed, and connects again when the connection is lost.
const messages = document.querySelector("#messages");
const form = document.querySelector("#talk");
const output = form.querySelector("output");
let socket;

function connect() {
  socket = new WebSocket(messages.dataset.socket);
  socket.onopen = () => {
    messages.replaceChildren(); // the server tells again what was said before
    output.textContent = "connected";
  };
  socket.onmessage = (event) => {
    for (const { name, text } of JSON.parse(event.data)) {
      const item = document.createElement("li");
      item.textContent = `${name}: ${text}`;
      messages.append(item);
    }
  };
  socket.onclose = () => {
    output.textContent = "connecting";
    setTimeout(connect, 1000);
  };
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (socket.readyState !== WebSocket.OPEN) return;
  socket.send(form.text.value);
  form.reset();
});

connect();
