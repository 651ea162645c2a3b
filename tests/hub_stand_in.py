"""A stand-in for the Hub's API over a real socket: repositories are folders, a commit writes files."""

import base64
import hashlib
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

COMMIT = hashlib.sha1(b"a commit").hexdigest()
TOKEN = "hf_of_the_stand_in"


class Hub(BaseHTTPRequestHandler):
    """Answers what huggingface_hub asks for in create_repo, upload_folder and downloads."""

    protocol_version = "HTTP/1.1"

    @property
    def parts(self):
        return [unquote(part) for part in urlsplit(self.path).path.strip("/").split("/")]

    def log_message(self, *_):
        pass

    def answer(self, content, status=200, headers=()):
        content = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        for name, value in dict(headers).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def allowed(self):
        if self.headers.get("Authorization") == f"Bearer {TOKEN}":
            return True
        self.answer({"error": "Invalid username or password."}, 401, {"X-Error-Message": "Invalid token"})
        return False

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if not self.allowed():
            return
        root, parts = self.server.root, self.parts
        if parts == ["api", "repos", "create"]:
            wanted = json.loads(body)
            name = f"{wanted.get('organization') or 'user'}/{wanted['name']}"
            (root / name).mkdir(parents=True, exist_ok=True)
            self.server.created.append(wanted)
            self.answer({"url": f"http://{self.headers['Host']}/{name}", "id": name, "name": name})
        elif parts == ["api", "validate-yaml"]:
            self.answer({"errors": [], "warnings": []})
        elif parts[-2:] == ["preupload", "main"]:
            files = [{"path": file["path"], "uploadMode": "regular"} for file in json.loads(body)["files"]]
            self.answer({"files": [file | {"shouldIgnore": False, "oid": None} for file in files]})
        elif parts[-2:] == ["commit", "main"]:
            folder = root / "/".join(parts[2:4])
            for line in body.decode().splitlines():
                entry = json.loads(line)
                if entry["key"] == "file":
                    path = folder / entry["value"]["path"]
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(base64.b64decode(entry["value"]["content"]))
            address = f"http://{self.headers['Host']}/{'/'.join(parts[2:4])}/commit/{COMMIT}"
            self.answer({"success": True, "commitUrl": address, "commitOid": COMMIT, "hookOutput": ""})
        else:
            self.answer({"error": f"the stand-in does not know POST {self.path}"}, 404)

    def do_GET(self):
        root, parts = self.server.root, self.parts
        if parts[:2] == ["api", "models"] and (root / "/".join(parts[2:4])).is_dir():
            name = "/".join(parts[2:4])
            files = sorted(path.relative_to(root / name) for path in (root / name).rglob("*") if path.is_file())
            if "tree" in parts:
                sizes = [{"type": "file", "path": str(f), "size": (root / name / f).stat().st_size} for f in files]
                self.answer([row | {"oid": COMMIT} for row in sizes])
            else:
                siblings = [{"rfilename": str(file)} for file in files]
                self.answer({"id": name, "sha": COMMIT, "siblings": siblings, "private": False, "tags": []})
        elif "resolve" in parts and (root / "/".join(parts[:2] + parts[4:])).is_file():
            content = (root / "/".join(parts[:2] + parts[4:])).read_bytes()
            etag = hashlib.sha256(content).hexdigest()
            self.answer(content, headers={"ETag": f'"{etag}"', "X-Repo-Commit": COMMIT})
        else:
            code = "EntryNotFound" if "resolve" in parts else "RepoNotFound"
            self.answer({"error": "not found"}, 404, {"X-Error-Code": code, "X-Repo-Commit": COMMIT})

    do_HEAD = do_GET


@contextmanager
def hub(root):
    """The stand-in's server; `.address` is its endpoint, `.created` what was asked of create_repo."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    server.root, server.created = Path(root), []
    server.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
