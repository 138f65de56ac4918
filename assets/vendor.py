"""Copy the third-party styles and the font that the chat page needs into `bot/web/static/vendor`.

`python assets/vendor.py` fetches the versions pinned in `package.json` with npm, copies each file together with its
licence, and writes their hashes to `SHA256SUMS`. A test holds the files to those hashes: change versions, not files.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path

ASSETS = Path(__file__).resolve().parent
VENDOR = ASSETS.parent / "bot" / "web" / "static" / "vendor"

CANDIDATE = "@nl-design-system-candidate"
FONT = "@fontsource-variable/source-sans-3"
WANTED = {
    **{
        f"{CANDIDATE}/{name}-css": (f"dist/{name}.css", "LICENSE.md")
        for name in ("button", "heading", "link", "paragraph", "skip-link")
    },
    **{
        f"@utrecht/{name}-css": ("dist/index.css", "LICENSE.md")
        for name in ("alert", "textarea", "unordered-list")
    },
    FONT: (
        "files/source-sans-3-latin-wght-normal.woff2",
        "files/source-sans-3-latin-ext-wght-normal.woff2",
        "LICENSE",
    ),
}
"""Files per package; each lands in a folder of the package's own name."""


def main() -> None:
    """Fetch, copy, and write the hash list."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(ASSETS / "package.json", folder)
        npm = ["npm", "install", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund"]
        subprocess.run(npm, cwd=folder, check=True)  # noqa: S603
        shutil.rmtree(VENDOR, ignore_errors=True)
        for package, files in WANTED.items():
            target = VENDOR / package.rpartition("/")[2]
            target.mkdir(parents=True)
            for file in files:
                shutil.copyfile(Path(folder, "node_modules", package, file), target / Path(file).name)
    (VENDOR / "SHA256SUMS").write_text(sums(), encoding="utf-8")


def sums() -> str:
    """The hashes of all vendored files, in the format of `sha256sum`."""
    files = sorted(path for path in VENDOR.rglob("*") if path.is_file() and path.name != "SHA256SUMS")
    lines = (
        f"{hashlib.sha256(f.read_bytes()).hexdigest()}  {f.relative_to(VENDOR).as_posix()}\n" for f in files
    )
    return "".join(lines)


if __name__ == "__main__":
    main()
