"""Front ends in JavaScript, and what is read of their configuration."""

from __future__ import annotations

import pytest

from multiserve.discovery import javascript
from multiserve.discovery.project import look_at


@pytest.mark.parametrize(
    ("config", "port"),
    [
        pytest.param("export default {}", 5173, id="that of Vite"),
        pytest.param("export default { server: { port: 3000 } }", 3000, id="its own"),
        pytest.param(
            "export default {\n  server: {\n    // port: 1\n    port: 3000,\n  },\n}", 3000, id="below a comment"
        ),
        pytest.param(
            "export default { server: { proxy: { '/api': { target: 'http://a' } }, port: 3000 } }",
            3000,
            id="behind a proxy",
        ),
        pytest.param("export default { preview: { port: 4000 } }", 5173, id="that of the preview"),
        pytest.param("export default { server: { open: true }, preview: { port: 4000 } }", 5173, id="both tables"),
        pytest.param("export default { server: { hmr: { port: 4000 } } }", 5173, id="that of reloading"),
        pytest.param("export default { server: { port: Number(process.env.PORT) } }", 5173, id="no number"),
    ],
)
def test_the_mount_for_development_has_the_port_of_vite(tmp_path, config, port):
    (tmp_path / "vite.config.ts").write_text(config)
    reasons = [each.reason for each in javascript.find(look_at(tmp_path))]
    assert any(f'{{ proxy = "http://localhost:{port}" }}' in reason for reason in reasons)
