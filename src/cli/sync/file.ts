// The file of podgen image sync --src yaml, as skopeo-sync(1) has it: registries, and what of each is wanted. Text to data; pure.
import { type Checked, type Diagnostic, hasErrors } from "../../base/diagnostic.js";
import { parseConstraint, parseVersion } from "../../base/semver.js";
import { parseImage } from "../../model/kube/image.js";
import type { Side } from "../../ports/image-copy.js";
import type { MapNode, Node, SpecDocument } from "../../spec/node.js";
import { Path } from "../../spec/path.js";
import { Reader } from "../../spec/reader.js";
import { Report } from "../../spec/report.js";
import { map, object } from "../../spec/schema.js";
import { walk } from "../../spec/walk.js";
import { parseYaml } from "../../spec/yaml.js";

/** A repository of which images are wanted. */
export interface WantedRepository {
  /** `HOST/REPOSITORY` */
  readonly repository: string;
  /** Tags and digests that are named; absent: those of its tags that `fits`. */
  readonly named?: readonly string[];
  readonly fits: (tag: string) => boolean;
  readonly side: Side;
}

const REGISTRY = object("sync file's registry", {
  // A name with nothing behind it is all its tags: a map of anything is looked into below.
  images: { type: "any" },
  "images-by-tag-regex": { type: map("string") },
  "images-by-semver": { type: map("string") },
  credentials: {
    type: object("credentials", { username: { type: "string", required: true }, password: { type: "string", required: true } }),
  },
  "tls-verify": { type: "boolean" },
  "cert-dir": {
    type: "string",
    refused: "certificates are found by the registry's name",
    hint: "put them into ~/.config/containers/certs.d/HOST",
  },
});

/** Codes: those of yaml.ts and walk.ts, bad-image, bad-value, empty-file. */
export function readSyncFile(file: string, text: string): Checked<readonly WantedRepository[]> {
  const parsed = parseYaml(file, text);
  // A password may stand in any line of it.
  const diagnostics: Diagnostic[] = parsed.diagnostics.map((d) => ({ ...d, secret: true }));
  const wanted = (parsed.value ?? []).flatMap((document) => registriesOf(document, diagnostics));
  if (wanted.length === 0 && diagnostics.length === 0)
    diagnostics.push({ code: "empty-file", severity: "error", message: `${file} asks for no image`, hint: "skopeo-sync(1) has examples" });
  return hasErrors(diagnostics) ? { diagnostics } : { diagnostics, value: wanted };
}

function registriesOf({ root }: SpecDocument, diagnostics: Diagnostic[]): WantedRepository[] {
  const report = new Report(true);
  const wanted: WantedRepository[] = [];
  if (root.kind !== "map") report.error("wrong-type", root.place, Path.root, "expected a map of registries");
  else
    for (const [registry, { value }] of root.entries) {
      const path = Path.root.child(registry);
      if (value.kind !== "map")
        report.error("wrong-type", value.place, path, "expected a map: images, images-by-tag-regex, images-by-semver");
      else wanted.push(...wantedOf(registry, value, path, report));
    }
  diagnostics.push(...report.diagnostics);
  return wanted;
}

function wantedOf(registry: string, node: MapNode, path: Path, report: Report): WantedRepository[] {
  walk(REGISTRY, node, path, report);
  const reader = new Reader(node, path);
  const login = reader.object("credentials");
  const verify = reader.flag("tls-verify");
  const username = login?.text("username");
  const password = login?.text("password");
  const side: Side = {
    ...(username === undefined || password === undefined ? {} : { login: { username, password } }),
    ...(verify === undefined ? {} : { verify }),
  };
  const found: WantedRepository[] = [];
  for (const section of ["images", "images-by-tag-regex", "images-by-semver"]) {
    const images = reader.object(section);
    const other = images === undefined ? reader.get(section) : undefined;
    if (section === "images" && other !== undefined)
      report.error("wrong-type", other.place, reader.pathOf(section), "expected a map of names to lists of tags");
    for (const [name, { key, value }] of images?.node.entries ?? []) {
      const at = (images as Reader).pathOf(name);
      const repository = `${registry}/${name}`;
      const image = parseImage(repository);
      if (!("image" in image) || image.image.kind !== "registry" || /[@:]/.test(name))
        report.error(
          "bad-image",
          key,
          at,
          "is no repository of a registry",
          "write HOST as the file's key, and under it names without tags",
        );
      else if (section === "images") found.push({ repository, ...namesOf(value, at, report), fits: () => true, side });
      else found.push({ repository, fits: (section === "images-by-semver" ? bySemver : byRegex)(value, at, report), side });
    }
  }
  return found;
}

/** A list of tags and digests; an empty one, or none, is all tags. */
function namesOf(node: Node, path: Path, report: Report): { readonly named?: readonly string[] } {
  const items = node.kind === "seq" ? node.items : node.kind === "scalar" && node.value === null ? [] : undefined;
  if (items === undefined) {
    report.error("wrong-type", node.place, path, "expected a list of tags and digests");
    return {};
  }
  const names = items.map((item, i) => {
    // A tag that YAML takes for a number is meant as it is written.
    const text = item.kind === "scalar" ? item.text : "";
    if (/^(?:[\w][\w.-]{0,127}|sha256:[0-9a-f]{64})$/.test(text)) return text;
    report.error("bad-value", item.place, path.child(i), "is neither a tag nor a sha256 digest");
    return "";
  });
  return names.length === 0 ? {} : { named: names };
}

function byRegex(node: Node, path: Path, report: Report): (tag: string) => boolean {
  try {
    // With `u` what only Go's syntax knows is an error, and does not mean something else.
    const regex = new RegExp(node.kind === "scalar" ? node.text : "", "u");
    return (tag) => regex.test(tag);
  } catch {
    report.error("bad-value", node.place, path, "is no regular expression", "those of JavaScript; \\A, \\z and (?i) are not among them");
    return () => false;
  }
}

function bySemver(node: Node, path: Path, report: Report): (tag: string) => boolean {
  const accepts = parseConstraint(node.kind === "scalar" ? node.text : "");
  if (accepts === undefined)
    report.error("bad-value", node.place, path, "is no constraint of versions", 'write ">= 1.2, < 3", "~1.2" or "^1"');
  return (tag) => {
    const version = parseVersion(tag);
    return version !== undefined && accepts?.(version) === true;
  };
}
