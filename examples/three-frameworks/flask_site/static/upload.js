// Sends the chosen file as the whole request body and shows the answer.
document.querySelector("#upload").addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  const response = await fetch(form.action, { method: "POST", body: form.file.files[0] });
  form.querySelector("output").textContent = await response.text();
});
