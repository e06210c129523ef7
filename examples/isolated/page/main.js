// One origin: no CORS, and no URL of a server.
const response = await fetch("/shop/about/");
document.querySelector("#shop").innerHTML = await response.text();
