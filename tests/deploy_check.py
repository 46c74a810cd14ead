#!/usr/bin/env python3
"""Parses what deploy/ holds and can't be run in every place: compose, units, topic definitions, settings, scripts."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib

import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent
DEPLOY = ROOT / "deploy"
PREFIX = "GROUNDSWELL__"
problems: list[str] = []


def expect(holds: bool, problem: str) -> None:
    if not holds:
        problems.append(problem)


def known_keys() -> set[str]:
    """Every key of the example; a test of the runtime holds the example to the program."""

    def walk(table: dict, prefix: str) -> set[str]:
        keys = set()
        for name, value in table.items():
            keys |= walk(value, f"{prefix}{name}.") if isinstance(value, dict) and value else {f"{prefix}{name}"}
        return keys

    return walk(tomllib.loads((DEPLOY / "groundswell.example.toml").read_text()), "")


def check_key(variable: str, where: str, keys: set[str]) -> None:
    key = variable.removeprefix(PREFIX).lower().replace("__", ".")
    expect(key in keys or key.startswith("kafka.properties."), f"{where}: {variable} sets no key that there is")


def check_metrics() -> None:
    """What the code counts is described, and what the page for operators names is counted."""
    described = set(re.findall(r'"(groundswell_\w+)"', (ROOT / "shared/runtime/src/telemetry/names.rs").read_text()))
    counted = set()
    for source in [*ROOT.glob("services/**/*.rs"), *ROOT.glob("shared/**/*.rs")]:
        counted |= set(re.findall(r'metrics::\w+!\("(groundswell_\w+)"', source.read_text()))
    counted = {name for name in counted if "_telemetry_test_" not in name}
    expect(counted == described, f"metrics: {sorted(counted ^ described)} are counted or described, not both")
    named = set(re.findall(r"`(groundswell_[a-z_]+)[`{]", (DEPLOY / "README.md").read_text()))
    expect(named <= described, f"deploy/README.md: {sorted(named - described)} are no metrics")


def check_compose(keys: set[str]) -> None:
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    services = compose["services"]
    expect(set(services) == {"kafka", "ingest", "classify", "index"}, f"compose: services are {sorted(services)}")
    for name, service in services.items():
        for variable in service.get("environment", {}):
            if variable.startswith(PREFIX):
                check_key(variable, f"compose {name}", keys)
        for volume in service.get("volumes", []):
            expect(volume.split(":")[0] in compose["volumes"], f"compose {name}: volume {volume} is not declared")
        for other in service.get("depends_on", {}):
            expect(other in services, f"compose {name}: depends on {other}, which is not there")
        if name != "kafka":
            expect(service["command"] == ["serve", name], f"compose {name}: runs {service['command']}")
        for port in service.get("ports", []):
            expect(port.startswith("127.0.0.1:"), f"compose {name}: port {port} is open to everyone")


def skipped(why: str) -> None:
    """As `skipped` in tests/src/skip.rs: noted for the list at the end of tests/run, a failure where everything is said to be there."""
    print(f"skipped: {why}")
    if noted := os.environ.get("GROUNDSWELL_TEST_SKIPPED"):
        with open(noted, "a", encoding="utf-8") as file:
            file.write(why + "\n")
    expect("GROUNDSWELL_TEST_ALL" not in os.environ, f"GROUNDSWELL_TEST_ALL is set, but skipped: {why}")


def check_units(keys: set[str]) -> None:
    units = sorted((DEPLOY / "systemd").glob("*.service"))
    expect(len(units) == 4, f"systemd: {len(units)} units")
    for unit in units:
        for variable in re.findall(r"(GROUNDSWELL__\w+)=", unit.read_text()):
            check_key(variable, unit.name, keys)
    if shutil.which("systemd-analyze") is None:
        skipped("systemd-analyze is not here")
        return
    with tempfile.TemporaryDirectory() as folder:
        copies = []
        for unit in units:
            copy = pathlib.Path(folder) / unit.name.replace("@.", "@0.")
            # The program is not installed where this is checked.
            copy.write_text(unit.read_text().replace("/usr/local/bin/groundswell", "/bin/true"))
            copies.append(str(copy))
        verified = subprocess.run(["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", *copies], capture_output=True, text=True, check=False)
        ours = [line for line in verified.stderr.splitlines() if "groundswell" in line and "Failed to connect" not in line]
        expect(verified.returncode == 0 and not ours, "systemd: " + (verified.stderr.strip() or "verify failed"))


def check_topics() -> None:
    names = tomllib.loads((DEPLOY / "groundswell.example.toml").read_text())["topics"]["names"]
    printed = subprocess.run([DEPLOY / "topics.sh", "--print"], capture_output=True, text=True, check=True).stdout
    created = dict(re.findall(r"--topic (\S+) .*cleanup\.policy=(\w+)", printed))
    expect(set(created) == set(names.values()), f"topics.sh creates {sorted(created)}")
    compacted = [name for name, policy in created.items() if policy == "compact"]
    expect(compacted == [names["journal"]], f"topics.sh compacts {compacted}")


STAND_IN = """#!/bin/sh
printf '%s\\n' "$@" > "$ARGUMENTS"
for argument in "$@"; do
  case "$argument" in
    json=*) echo '{"api":"payments","verdict":"inconclusive"}' > "${argument#json=}" ;;
    github=*) echo '::warning::can not be told' > "${argument#github=}" ;;
  esac
done
echo '# the review'
exit 3
"""


def run_gate(script: str, shell: list[str], more: dict[str, str]) -> tuple[int, str, list[str], pathlib.Path]:
    """Runs the script of a pipeline with a stand-in for the program; exit code, output, its arguments, folder."""
    folder = pathlib.Path(tempfile.mkdtemp())
    program = folder / "groundswell"
    program.write_text(STAND_IN)
    program.chmod(0o755)
    gate = {"GATE_API": "payments", "GATE_VERSION": "v2; touch broken", "GATE_BASELINE": "v1", "GATE_WAIT": "30m", "GATE_POLICY": "my policy.toml"}
    github = {"GITHUB_STEP_SUMMARY": str(folder / "summary"), "GITHUB_OUTPUT": str(folder / "output"), "GATE_PROGRAM": str(program)}
    environment = {"PATH": f"{folder}:/usr/bin:/bin", "ARGUMENTS": str(folder / "arguments"), "TMPDIR": str(folder), **gate, **github, **more}
    ran = subprocess.run([*shell, script], capture_output=True, text=True, check=False, env=environment, cwd=folder)
    arguments = (folder / "arguments").read_text().splitlines() if (folder / "arguments").exists() else [ran.stderr]
    return ran.returncode, ran.stdout, arguments, folder


def check_gate_call(where: str, code: int, arguments: list[str], folder: pathlib.Path) -> None:
    expect(code == 3, f"{where}: the gate's exit code became {code}")
    expect(arguments[:1] == ["gate"] and arguments[-3:] == ["--", "payments", "v2; touch broken"], f"{where}: calls {arguments}")
    expect(not (folder / "broken").exists(), f"{where}: a value was run as a command")
    pairs = list(zip(arguments, arguments[1:]))
    for pair in [("--baseline", "v1"), ("--wait", "30m"), ("--policy", "my policy.toml"), ("--inconclusive", "pass")]:
        expect(pair in pairs, f"{where}: {pair} is missing in {arguments}")


def check_github() -> None:
    action = yaml.safe_load((DEPLOY / "github/gate/action.yml").read_text())
    (step,) = action["runs"]["steps"]
    expect(action["runs"]["using"] == "composite" and step["shell"] == "bash", "action: not composite, or not bash")
    expect("${{" not in step["run"], "action: an input is text of the script")
    named = set(re.findall(r"inputs\.(\w+)", json.dumps(step["env"])))
    expect(named == set(action["inputs"]), f"action: inputs {sorted(action['inputs'])}, used {sorted(named)}")
    more = {"GATE_INCONCLUSIVE": "pass", "GROUNDSWELL_KEY": "", "GROUNDSWELL_SERVER": "http://x"}
    code, output, arguments, folder = run_gate(step["run"], ["bash", "-c"], more)
    check_gate_call("action", code, arguments, folder)
    expect("::warning::" in output, "action: annotations are not written")
    expect((folder / "summary").read_text() == "# the review\n", "action: no summary")
    expect((folder / "output").read_text() == "verdict=inconclusive\nexit-code=3\n", "action: outputs are " + (folder / "output").read_text())
    shutil.rmtree(folder)


def check_gitlab() -> None:
    job = yaml.safe_load((DEPLOY / "gitlab/gate.yml").read_text())[".groundswell-gate"]
    used = set(re.findall(r"\$(GATE_\w+)", "\n".join(job["script"])))
    expect(used >= set(job["variables"]), f"gitlab: variables {sorted(job['variables'])}, used {sorted(used)}")
    code, _, arguments, folder = run_gate("set -e\n" + "\n".join(job["script"]), ["sh", "-c"], {"GATE_INCONCLUSIVE": "pass"})
    check_gate_call("gitlab", code, arguments, folder)
    written = {argument.split("=")[1] for argument in arguments if re.match(r"(junit|md|json)=", argument)}
    kept = {*job["artifacts"]["paths"], job["artifacts"]["reports"]["junit"]}
    expect(written == kept, f"gitlab: writes {sorted(written)}, keeps {sorted(kept)}")
    expect(job["allow_failure"]["exit_codes"] == [3, 4], "gitlab: a regression or wrong use may fail unseen")
    shutil.rmtree(folder)


def check_everything_else() -> None:
    for path in DEPLOY.rglob("*"):
        if path.suffix in {".yaml", ".yml"}:
            list(yaml.safe_load_all(path.read_text()))
        elif path.suffix == ".json":
            json.loads(path.read_text())
        elif path.suffix == ".toml":
            tomllib.loads(path.read_text())
        elif path.suffix == ".sh":
            checked = subprocess.run(["bash", "-n", path], capture_output=True, text=True, check=False)
            expect(checked.returncode == 0, f"{path.name}: {checked.stderr}")


def main() -> int:
    keys = known_keys()
    check_metrics()
    check_compose(keys)
    check_units(keys)
    check_topics()
    check_github()
    check_gitlab()
    check_everything_else()
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"deploy: {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
