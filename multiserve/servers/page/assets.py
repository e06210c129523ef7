"""The style and the script of the page; the page is complete without the script, which loads it anew."""

from __future__ import annotations

STYLE = """
:root { color-scheme: light dark; --good: light-dark(#176b34, #5fd38a); --bad: light-dark(#b3261e, #ff8f86);
  --warn: light-dark(#7a5200, #f0b84a); --rule: light-dark(#d8d8de, #3a3a42); --soft: light-dark(#f5f5f8, #202026); }
body { max-width: 76rem; margin: 2rem auto; padding: 0 1.5rem; font: 1rem/1.5 system-ui, sans-serif;
  background: light-dark(#fff, #16161a); color: light-dark(#1c1c22, #e6e6ea); }
h1 { font-size: 1.5rem; } h1 small { font-size: .875rem; font-weight: normal; }
h2 { margin: 2rem 0 .5rem; font-size: 1.125rem; }
a { color: light-dark(#0b57d0, #8ab4f8); }
pre, code { font: .8125rem/1.5 ui-monospace, monospace; }
pre { max-height: 24rem; overflow: auto; margin: .25rem 0; padding: .75rem; border: 1px solid var(--rule);
  border-radius: .5rem; background: var(--soft); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { padding: .375rem .75rem .375rem 0; border-top: 1px solid var(--rule); text-align: left; vertical-align: top; }
thead th { border-top: 0; font-size: .8125rem; font-weight: 600; white-space: nowrap; }
tr.reason td { border-top: 0; }
svg { display: block; color: light-dark(#0b57d0, #8ab4f8); }
polyline { fill: none; stroke: currentColor; stroke-width: 1.5; }
polyline.failed { stroke: var(--bad); }
.state { padding: .0625rem .5rem; border: 1px solid; border-radius: 1rem; font-size: .8125rem; }
.ok, .up, .serving { color: var(--good); }
.failed, .down, .stopping { color: var(--bad); }
.maintenance, .starting { color: var(--warn); }
.message { padding: .5rem .75rem; border-left: .25rem solid var(--warn); background: var(--soft);
  white-space: pre-line; }
form { display: inline-block; margin: 0 .375rem .25rem 0; }
button, input { font: inherit; font-size: .875rem; padding: .1875rem .75rem; border: 1px solid var(--rule);
  border-radius: .375rem; background: var(--soft); color: inherit; }
button { cursor: pointer; } button:hover { border-color: currentColor; }
details { margin: .25rem 0; } summary { cursor: pointer; overflow-wrap: anywhere; }
#login { margin-top: 2rem; }
"""

# The token of the URL is sent on as a form would send it, and disappears from the address bar. Then the page is loaded
# anew every few seconds, except while somebody is about to press a button.
SCRIPT = """
const token = new URLSearchParams(location.hash.slice(1)).get("token");
async function enter() {
  history.replaceState(null, "", location.pathname);
  await fetch("login", {method: "POST", body: new URLSearchParams({token})});
  location.reload();
}
async function look() {
  try {
    const answer = await fetch(location.pathname, {cache: "no-store", headers: {Accept: "text/html"}});
    const live = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("live");
    const shown = document.getElementById("live");
    if (live && !shown.querySelector(":focus, button:hover")) {
      for (const each of shown.querySelectorAll("details[open]")) {
        const same = each.id && live.querySelector("#" + CSS.escape(each.id));
        if (same) same.open = true;
      }
      shown.replaceWith(live);
    }
  } catch { /* the server is away: what is shown stays */ }
  setTimeout(look, 3000);
}
if (token) enter(); else setTimeout(look, 3000);
"""
