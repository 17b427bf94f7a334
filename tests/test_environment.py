"""The three lists of packages agree, and the commands that the README promises are there."""

import re
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCK = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))


def requirement(text):
    """'pandas>=2.2,<3' to ('pandas', '>=2.2,<3'), extras left out."""
    name, rest = re.match(r"([A-Za-z0-9._-]+)(?:\[[^\]]*\])?(.*)", text).groups()
    return name.casefold().replace("_", "-"), rest.strip()


def test_the_conda_environment_asks_for_what_the_project_asks_for():
    wanted = dict(map(requirement, PROJECT["project"]["dependencies"]))
    packages = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
    listed = dict(requirement(p) for p in packages if isinstance(p, str))
    assert {"python", "jupyterlab", "pandas", "matplotlib", "seaborn", "lifelines", "papermill", "pytest", "pip"} == set(listed)
    assert {n: v for n, v in listed.items() if n not in ("python", "pip")} == {n: wanted[n] for n in listed if n not in ("python", "pip")}
    assert listed["python"] == PROJECT["project"]["requires-python"]
    assert [p["pip"] for p in packages if isinstance(p, dict)] == [["."]]


def test_the_lock_holds_every_dependency_of_the_project():
    mine = next(p for p in LOCK["package"] if p["name"] == "sprx")
    asked = {requirement(d)[0] for d in PROJECT["project"]["dependencies"]}
    assert {d["name"] for d in mine["dependencies"]} == asked
    assert mine["version"] == PROJECT["project"]["version"]
    dev = {requirement(d)[0] for d in PROJECT["dependency-groups"]["dev"]}
    assert {d["name"] for d in mine["dev-dependencies"]["dev"]} == dev


def test_the_version_is_said_once_in_effect():
    import sprx

    assert sprx.__version__ == PROJECT["project"]["version"]
    assert f"## {sprx.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_readmes_two_commands_and_the_ci_script_are_make_targets():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for target in ("setup", "report", "test", "test-reference", "picture"):
        assert re.search(rf"^{target}:", makefile, re.M)
    assert "make report" in readme[:900] and "make test" in readme[:900]
    assert "make test\n" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_the_installed_package_carries_the_notebooks():
    carried = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert carried == {f"notebooks/{p.name}": f"sprx/notebooks/{p.name}" for p in (ROOT / "notebooks").iterdir() if p.is_dir() or p.suffix == ".ipynb"}
