"""Files that say the same thing twice say the same; shipped files ship."""

import configparser
import os
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]


@pytest.fixture
def setup() -> configparser.ConfigParser:
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    return config


def lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def test_environment_yml_asks_pip_for_what_setup_cfg_requires(setup: configparser.ConfigParser) -> None:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    sections = [entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict)]
    extras = setup["options.extras_require"]
    assert sections == [lines(setup["options"]["install_requires"]) + lines(extras["dev"]) + lines(extras["onnx"])]
    assert environment["name"] == setup["metadata"]["name"]
    assert f"python {setup['options']['python_requires']}" in environment["dependencies"]


def test_version_is_the_same_everywhere(setup: configparser.ConfigParser) -> None:
    version = setup["metadata"]["version"]
    assert import_module("raincheck").__version__ == version
    assert f"## [{version}]" in (ROOT / "CHANGELOG.md").read_text()


def test_the_citation_is_of_this_version(setup: configparser.ConfigParser) -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["cff-version"] == "1.2.0" and citation["message"] and citation["authors"] and citation["title"]
    assert str(citation["version"]) == setup["metadata"]["version"]
    assert citation["license"] == setup["metadata"]["license"]


def test_the_pythons_that_are_promised(setup: configparser.ConfigParser) -> None:
    promised = re.findall(r"Python :: (3\.\d+)", setup["metadata"]["classifiers"])
    assert promised == ["3.11", "3.12", "3.13"] and setup["options"]["python_requires"] == f">={promised[0]}"
    assert set(promised) <= set(re.findall(r"python(3\.\d+)", (ROOT / "Makefile").read_text()))


def test_every_bound_has_a_reason_above_it() -> None:
    text = (ROOT / "setup.cfg").read_text().splitlines()
    bounded = [i for i, line in enumerate(text) if re.match(r" {4}[\w\[\]-]+ [<>]=?\d", line)]
    assert bounded
    assert [text[i] for i in bounded if not text[i - 1].lstrip().startswith("#")] == []


def test_every_file_that_is_no_module_is_package_data(setup: configparser.ConfigParser) -> None:
    package = ROOT / "src" / "raincheck"
    declared = {path for pattern in lines(setup["options.package_data"]["raincheck"]) for path in package.glob(pattern)}
    present = {p for p in package.rglob("*") if p.is_file() and p.suffix != ".py" and "__pycache__" not in p.parts}
    assert present == {path for path in declared if path.is_file()}


def test_make_help_lists_every_target_of_the_interface() -> None:
    shown = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    listed = re.findall(r"make ([a-z-]+)", shown)
    assert {"env", "demo", "test", "test-slow", "check", "ablate", "study", "tune", "bench", "dist", "tools"} <= set(
        listed
    )


@pytest.mark.slow
def test_type_checkers_see_the_signature_of_derain(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text("from raincheck import derain\nderain('a.mp4', weights=3)\n")
    command = [sys.executable, "-m", "mypy", "--config-file=", "--follow-imports=silent", "program.py"]
    environment = {**os.environ, "MYPYPATH": str(ROOT / "src")}
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=environment, check=False)
    assert 'program.py:2: error: No overload variant of "derain"' in done.stdout
