"""The page `/docs`: the OpenAPI description for people, and a form that asks the model.

It loads nothing from elsewhere, so that it works without internet and runs no one else's code.
"""

from __future__ import annotations

import base64
import hashlib

_SCRIPT = """
const show = (id, text) => { document.getElementById(id).textContent = text; };
const keyed = () => {
  const key = document.getElementById("key").value;
  return key ? {"X-API-Key": key} : {};
};
async function load() {
  const answer = await fetch("openapi.json", {headers: keyed()});
  if (!answer.ok) { show("answer", await answer.text()); return; }
  const description = await answer.json();
  show("title", description.info.title);
  show("description", JSON.stringify(description, null, 2));
  const content = description.paths["/invocations"].post.requestBody.content["application/json"];
  const example = content.examples ? content.examples.model.value : {inputs: []};
  document.getElementById("request").value = JSON.stringify(example, null, 2);
}
async function ask() {
  const answer = await fetch("invocations", {
    method: "POST",
    headers: {"Content-Type": "application/json", ...keyed()},
    body: document.getElementById("request").value,
  });
  show("answer", answer.status + "\\n" + await answer.text());
}
document.getElementById("load").addEventListener("click", load);
document.getElementById("send").addEventListener("click", ask);
load();
"""

PAGE = f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Model</title>
<h1 id="title">Model</h1>
<p><label>API key, if the server wants one: <input id="key" type="password"></label>
<button id="load">Load</button></p>
<h2>POST /invocations</h2>
<p><textarea id="request" rows="12" cols="100"></textarea></p>
<p><button id="send">Send</button></p>
<pre id="answer"></pre>
<h2>OpenAPI</h2>
<pre id="description"></pre>
<script>{_SCRIPT}</script>
</html>
"""

_DIGEST = base64.b64encode(hashlib.sha256(_SCRIPT.encode()).digest()).decode()
_POLICY = f"default-src 'none'; connect-src 'self'; script-src 'sha256-{_DIGEST}'"
HEADERS = {"Content-Security-Policy": _POLICY}
