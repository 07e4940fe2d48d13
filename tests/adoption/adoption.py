"""Edits the host's manifests and attributes for `run`, and compares the output of its tests."""

import json
import pathlib
import re
import shutil
import sys


def unpack(packages, workspace, version, *crates):
    """Makes a workspace of published packages that use each other."""
    workspace = pathlib.Path(workspace)
    unpacked = {
        package["name"]: pathlib.Path(package["manifest_path"]).parent
        for package in json.loads(pathlib.Path(packages).read_text())["packages"]
        if package["version"] == version
    }
    for crate in crates:
        shutil.copytree(unpacked[crate], workspace / crate)
        restore_dev_dependencies(workspace / crate, version)

    members = ", ".join(f'"{crate}"' for crate in crates)
    patches = "".join(f'{crate} = {{ path = "{crate}" }}\n' for crate in crates)
    manifest = f'[workspace]\nresolver = "2"\nmembers = [{members}]\n\n[patch.crates-io]\n{patches}'
    (workspace / "Cargo.toml").write_text(manifest)
    locks = [workspace / crate / "Cargo.lock" for crate in crates]
    (workspace / "Cargo.lock").write_text(join_locks(locks))


def restore_dev_dependencies(package, version):
    """Restores the dev-dependencies that cargo strips because they have a path and no version."""
    original = (package / "Cargo.toml.orig").read_text()
    section = re.search(r"^\[dev-dependencies\]\n(.*?)(?=^\[|\Z)", original, re.M | re.S)
    lines = section[1] if section else ""
    stripped = re.findall(r'^(\S+) = \{ path = "[^"]*"(?:, features = (\[.*\]))? \}$', lines, re.M)
    with (package / "Cargo.toml").open("a") as manifest:
        for name, features in stripped:
            manifest.write(f'\n[dev-dependencies.{name}]\nversion = "={version}"\n')
            manifest.write(f"features = {features or '[]'}\n")


def join_locks(locks):
    """Joins the lock files of the packages, which agree because they come from one workspace."""
    packages = {}
    for lock in locks:
        for text in lock.read_text().split("[[package]]\n")[1:]:
            name, version = re.match(r'name = "(.*)"\nversion = "(.*)"', text).groups()
            packages.setdefault((name, version), text.strip())
    entries = "\n\n".join(f"[[package]]\n{packages[key]}" for key in sorted(packages))
    return f"version = 4\n\n{entries}\n"


INSTRUMENT = re.compile(r"#\[(?:tracing::)?instrument\b(?:\((.*)\))?\]")
# Only the beginning of the attribute, to notice one that spans several lines.
ANY_INSTRUMENT = re.compile(r"#\[(?:tracing::)?instrument\b")

# The first entry found in a file's path gives the kind of its stages.
KINDS = [
    ("loaders/", "parse"),
    ("transformers/chunk_", "chunk"),
    ("transformers/metadata_", "enrich"),
    ("embed.rs", "embed"),
    ("pipeline.rs", "pipeline"),
    ("answers/", "generate"),
    ("response_transformers/", "generate"),
    ("query_transformers/", "generate"),
    ("evaluators/", "task"),
]


def adopt(workspace, ragtrace, expected):
    """Replaces every `#[tracing::instrument]` by `#[ragtrace::traced_stage]`."""
    found = 0
    for package in sorted(path.parent for path in pathlib.Path(workspace).glob("*/Cargo.toml")):
        in_package = sum(adopt_file(source) for source in sorted(package.glob("src/**/*.rs")))
        if in_package:
            with (package / "Cargo.toml").open("a") as manifest:
                manifest.write(f"\n[dependencies.ragtrace]\npath = {json.dumps(ragtrace)}\n")
                manifest.write("default-features = false\n")
        print(f"{package.name}: {in_package} attributes replaced")
        found += in_package
    if found != int(expected):
        sys.exit(f"expected {expected} attributes, found {found}")


def adopt_file(source):
    """Replaces the attributes of one file, and returns their number."""
    before = source.read_text()
    kind = next((kind for part, kind in KINDS if part in source.as_posix()), None)
    text, found = INSTRUMENT.subn(lambda attribute: traced_stage(attribute[1] or "", kind), before)
    if ANY_INSTRUMENT.search(text) or (found and not kind):
        sys.exit(f"{source}: no rule for an attribute or for the kind of its stage")
    if found:
        # Fields that the body fills in are recorded by `record!`. The old import is not needed.
        later = r'(?:tracing::)?Span::current\(\)\.record\("(\w+)", (.*)\);'
        text = re.sub(later, r"record!(\1 = \2);", text)
        text = re.sub(r"^(use tracing::\{.*), instrument\b", r"\1", text, flags=re.M)
        source.write_text(text)
    return found


def traced_stage(arguments, kind):
    """Translates the arguments of one `instrument` attribute."""
    ours = [f"kind = {kind}"]
    for argument in split(arguments):
        if argument in ("skip_all", "skip_self", "err"):
            # ragtrace records only the arguments that are named, and it always records errors.
            continue
        if argument.startswith("name = "):
            ours.insert(0, argument)
        elif argument.startswith("fields("):
            # The body fills in a field that has no value here. The only one is a count.
            fields = split(argument[len("fields(") : -1])
            later = [f"{field}: u64" for field in fields if field.isidentifier()]
            now = [field for field in fields if not field.isidentifier()]
            ours += [f"record({', '.join(later)})"] if later else []
            ours += [f"fields({', '.join(now)})"] if now else []
        else:
            sys.exit(f"an argument has no rule: {argument}")
    return f"#[ragtrace::traced_stage({', '.join(ours)})]"


def split(arguments):
    """Splits at the commas outside of parentheses."""
    parts, depth = [""], 0
    for character in arguments:
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts if part.strip()]


PIPELINES = """[package]
name = "pipelines"
edition = "2024"

[[test]]
name = "pipelines"
path = {source}

[dev-dependencies]
async-trait = "0.1"
ragtrace = {{ path = {ragtrace}, features = ["testing"] }}
swiftide-core = "={version}"
swiftide-indexing = "={version}"
swiftide-query = "={version}"
tokio = {{ version = "1", features = ["macros", "rt-multi-thread"] }}
tracing-subscriber = "0.3"
"""


def add_pipelines(workspace, source, ragtrace, version):
    """Adds a package to the workspace that runs the host's pipelines as an application does."""
    workspace = pathlib.Path(workspace)
    (workspace / "pipelines/src").mkdir(parents=True)
    (workspace / "pipelines/src/lib.rs").touch()
    manifest = PIPELINES.format(
        source=json.dumps(source), ragtrace=json.dumps(ragtrace), version=version
    )
    (workspace / "pipelines/Cargo.toml").write_text(manifest)
    root = workspace / "Cargo.toml"
    root.write_text(root.read_text().replace("members = [", 'members = ["pipelines", ', 1))


def compare(folder, *crates):
    """Prints how many tests passed, and fails if a test did not end as before."""
    before, after = (outcomes(pathlib.Path(folder), when) for when in ("before", "after"))

    def passed(run, crate):
        return sum(1 for test, outcome in run.items() if test[0] == crate and outcome == "ok")

    for crate in crates:
        was, now = passed(before, crate), passed(after, crate)
        print(f"{crate}: {was} passed before, {now} passed after")
    for test in sorted(test for test, outcome in before.items() if outcome == "FAILED"):
        print(f"failed before: {' '.join(test)}")

    # A test without an entry did not run.
    changed = sorted(
        test for test in before.keys() | after.keys() if before.get(test) != after.get(test)
    )
    for test in changed:
        was, now = before.get(test, "absent"), after.get(test, "absent")
        print(f"changed: {' '.join(test)}: {was} before, {now} after")
    if changed:
        printed = (pathlib.Path(folder) / "after.out").read_text()
        failures = re.findall(r"^failures:\n\n----.*?^test result: .*?$", printed, re.M | re.S)
        print(*failures, sep="\n")

    # A crate without tests would show nothing.
    untested = [crate for crate in crates if not passed(before, crate)]
    for crate in untested:
        print(f"no test passed before: {crate}")
    sys.exit(1 if changed or untested else 0)


def outcomes(folder, when):
    """Returns `ok`, `FAILED` or `ignored` for each (crate, program, test) of a `cargo test`.

    Cargo names each program on stderr, and its tests are listed on stdout in the same order. The
    two are not mixed, because `trybuild` prints lines on stderr that look like tests. Documentation
    tests come last, and their names begin with the folder of the crate.
    """
    programs = re.findall(
        r"^ +Running (?:unittests )?(\S+) \(.*/(\w+)-[0-9a-f]+\)$",
        (folder / f"{when}.err").read_text(),
        re.M,
    )
    printed = (folder / f"{when}.out").read_text()
    parts = re.split(r"^running \d+ tests?$", printed, flags=re.M)[1:]
    if len(parts) < len(programs):
        sys.exit(f"{when}: only {len(parts)} of {len(programs)} programs ran tests")

    found, crate = {}, None
    for number, part in enumerate(parts):
        path, program = programs[number] if number < len(programs) else ("documentation", None)
        # A program of integration tests has its own name; it follows the unit tests of its crate.
        if path == "src/lib.rs":
            crate = program.replace("_", "-")
        for test, outcome in re.findall(r"^test (.+) \.\.\. (ok|FAILED|ignored)", part, re.M):
            owner = crate if program else test.split("/")[0]
            found[owner, path, test] = outcome
        if not re.search(r"^test result: ", part, re.M):
            found[crate, path, "(the program did not end)"] = "FAILED"
    return found


if __name__ == "__main__":
    commands = {"unpack": unpack, "adopt": adopt, "pipelines": add_pipelines, "compare": compare}
    commands[sys.argv[1]](*sys.argv[2:])
