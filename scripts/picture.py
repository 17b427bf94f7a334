"""Take the README's picture: the first screen of the sample scheme moorside's report, with a headless Chromium."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
REPORT, PICTURE = ROOT / "reports" / "moorside" / "report.html", ROOT / "docs" / "img" / "report.png"
QUIET = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update",
         "--disable-sync", "--hide-scrollbars"]


def main():
    """Write docs/img/report.png; exit with a sentence when something is missing."""
    browser = next((found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None)
    if browser is None:
        sys.exit("No Chromium found. On Debian or Ubuntu: apt-get install chromium")
    if not REPORT.exists():
        sys.exit(f"No report at {REPORT.relative_to(ROOT)}. Make it first: make report")
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as profile:
        subprocess.run([browser, *QUIET, f"--user-data-dir={profile}", "--window-size=1280,860", f"--screenshot={PICTURE}", REPORT.as_uri()],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    print(PICTURE.relative_to(ROOT))


if __name__ == "__main__":
    main()
