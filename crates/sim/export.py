#!/usr/bin/env python3
"""Exports the part of botocore's service models that the simulator serves.

    pip install botocore==1.44.5
    python3 export.py                                    # writes every service's table anew
    python3 export.py src/services/ssm GetParameters     # the same, with more operations of one
    python3 export.py --as service-quotas src/services/servicequotas GetServiceQuota    # begins one

The table of a service is `model.json` in its folder, and has the operations that it had and those that are given. A folder
is called as botocore calls the service, unless `--as` says otherwise. botocore is Apache-2.0. Documentation is left out.
Member names in the tables are the names on the wire.
"""
import argparse
import json
import pathlib
import re

import botocore
import botocore.loaders

VERSION = "1.44.5"
# These models have their ranges in the names of shapes only: `__integerMin30`, `__stringMin1Max255`.
RANGES_IN_NAMES = {"medialive"}
# Patterns that no value of AWS's own fits: the one of IVS has one letter where the kind of the resource stands.
MISPRINTS = {("ivs", "ResourceArn"): "arn:aws:ivs:[a-z0-9-]+:[0-9]+:[a-z-]+/[a-zA-Z0-9-]+"}


def named_range(name):
    """The range that the name of a shape says."""
    found = re.fullmatch(r"__(?:integer|long|double|string)(?:Min(Negative)?(\d+))?(?:Max(Negative)?(\d+))?", name)
    out = {}
    for key, at in (("min", 1), ("max", 3)):
        if found and found[at + 1]:
            out[key] = int(found[at + 1]) * (-1 if found[at] else 1)
    return out


def shape_table(service, model, names):
    """Every shape that the named ones reach, without documentation."""
    table, todo = {}, list(names)
    while todo:
        name = todo.pop()
        if name in table:
            continue
        shape = model["shapes"][name]
        kind = shape["type"]
        out = {"type": kind}
        if service in RANGES_IN_NAMES:
            out.update(named_range(name))
        for key in ("min", "max", "pattern", "enum"):
            if key in shape:
                out[key] = shape[key]
        if (service, name) in MISPRINTS:
            out["pattern"] = MISPRINTS[service, name]
        if kind == "structure":
            wire = {n: m.get("locationName", n) for n, m in shape.get("members", {}).items()}
            out["members"] = {}
            for member, ref in shape.get("members", {}).items():
                entry = {"shape": ref["shape"]}
                if ref.get("location") in ("uri", "querystring", "header"):
                    entry["in"] = ref["location"]
                out["members"][wire[member]] = entry
                todo.append(ref["shape"])
            if shape.get("required"):
                out["required"] = [wire[n] for n in shape["required"]]
            if "error" in shape:
                out["error"] = shape["error"]
            if shape.get("exception"):
                out["exception"] = True
        elif kind == "list":
            out["member"] = shape["member"]["shape"]
            todo.append(shape["member"]["shape"])
        elif kind == "map":
            out["key"], out["value"] = shape["key"]["shape"], shape["value"]["shape"]
            todo += [shape["key"]["shape"], shape["value"]["shape"]]
        table[name] = out
    return dict(sorted(table.items()))


def service_table(service, served):
    model = botocore.loaders.Loader().load_service_model(service, "service-2")
    meta = model["metadata"]
    operations, roots = {}, []
    for name in served:
        op = model["operations"][name]
        entry = {
            "method": op["http"]["method"],
            "uri": op["http"]["requestUri"],
            "status": op["http"].get("responseCode", 200),
        }
        for side in ("input", "output"):
            if side in op:
                entry[side] = op[side]["shape"]
                roots.append(op[side]["shape"])
        if "resultWrapper" in op.get("output", {}):
            entry["resultWrapper"] = op["output"]["resultWrapper"]
        entry["errors"] = [e["shape"] for e in op.get("errors", [])]
        roots += entry["errors"]
        operations[name] = entry
    out = {
        "service": service,
        "source": f"botocore {VERSION} (Apache-2.0), documentation removed",
        "apiVersion": meta["apiVersion"],
        "signingName": meta.get("signingName", meta["endpointPrefix"]),
        "serviceId": meta["serviceId"],
        "protocols": meta.get("protocols", [meta["protocol"]]),
    }
    for key in ("jsonVersion", "targetPrefix", "xmlNamespace"):
        if key in meta:
            out[key] = meta[key]
    out["operations"] = operations
    out["shapes"] = shape_table(service, model, roots)
    return out


def compact(table):
    """One line a shape and an operation: small, and a diff shows what changed."""
    lines = ["{"]
    for key, value in table.items():
        if key in ("operations", "shapes"):
            rows = [f"  {json.dumps(n)}: {json.dumps(v, separators=(',', ':'))}" for n, v in value.items()]
            lines.append(f"{json.dumps(key)}: {{\n" + ",\n".join(rows) + "\n}" + ("," if key == "operations" else ""))
        else:
            lines.append(f"{json.dumps(key)}: {json.dumps(value)},")
    return "\n".join(lines + ["}", ""])


def write(folder, name, more):
    """The table of a folder, with the operations that it has and more."""
    path = folder / "model.json"
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"service": name, "operations": {}}
    served = list(dict.fromkeys([*known["operations"], *more]))
    path.write_text(compact(service_table(known["service"], served)), encoding="utf-8")
    print(known["service"], len(served), "operations")


if __name__ == "__main__":
    if botocore.__version__ != VERSION:
        raise SystemExit(f"botocore {VERSION} is needed, found {botocore.__version__}")
    parser = argparse.ArgumentParser(description="Writes the tables of the services.")
    parser.add_argument("--as", dest="name", help="botocore's name of the service, if the folder has another one")
    parser.add_argument("folder", nargs="?", type=pathlib.Path)
    parser.add_argument("operations", nargs="*")
    given = parser.parse_args()
    if given.folder:
        write(given.folder, given.name or given.folder.resolve().name, given.operations)
    else:
        for table in sorted((pathlib.Path(__file__).parent / "src/services").glob("*/model.json")):
            write(table.parent, table.parent.name, [])
