// podgen image inspect: what an image is, as JSON in skopeo's words; raw manifests and configurations as they are.
import type { Inspected } from "../../../ports/image-copy.js";
import type { Args } from "../../args.js";
import type { Context } from "../../context.js";
import { EXIT, UserError } from "../../exit.js";
import { explained } from "../../image-errors.js";
import { inspectable } from "../../image-places.js";
import { platformOf } from "../../image-platform.js";
import { Names } from "../../image-short-places.js";

type Json = { readonly [key: string]: unknown };

/** Exit 1 when one of them cannot be had; the others are shown all the same. */
export async function run(args: Args, context: Context): Promise<number> {
  const platform = platformOf(args);
  const raw = args.flag("raw");
  const config = args.flag("config");
  if (raw && config) throw new UserError("--raw and --config cannot be given together: the configuration is printed as it is", EXIT.usage);
  const copies = await context.host.imageCopies();
  let code: number = EXIT.done;
  for (const word of args.list("images")) {
    const one = await explained(context, async () => {
      const names = new Names(context);
      const place = await inspectable(word, context, names);
      const wantTags = !raw && !config && args.flag("tags") && place.startsWith("docker://");
      const [seen, tags] = await Promise.all([
        copies.inspect(place, { raw, ...(platform === undefined ? {} : { platform }) }),
        // Not every registry lets everybody list: an image is what it is without that.
        wantTags ? copies.tags(place).catch(() => undefined) : undefined,
      ]);
      if (raw) context.out.write(text(seen.manifest));
      else if (config) context.out.write(text(seen.image?.config));
      else context.out.write(`${JSON.stringify(description(place, seen, tags), null, 4)}\n`);
      await names.keep();
      return EXIT.done;
    });
    code = Math.max(code, one);
  }
  return code;
}

function text(bytes: Uint8Array | undefined): string {
  return Buffer.from(bytes ?? new Uint8Array()).toString("utf8");
}

function description(place: string, { digest, image }: Inspected, tags: readonly string[] | undefined): Json {
  const json: Json = JSON.parse(text(image?.config));
  const config = (json["config"] ?? {}) as Json;
  const rootfs = (json["rootfs"] ?? {}) as Json;
  const layers = image?.layers ?? [];
  const manifest: Json = JSON.parse(text(image?.manifest));
  return {
    Name: place.replace(/^docker:\/\//, "").replace(/(?::[\w][\w.-]*)?(?:@sha256:[0-9a-f]{64})?$/, ""),
    Digest: digest,
    ...(image !== undefined && image.digest !== digest ? { ManifestDigest: image.digest } : {}),
    Id: (manifest["config"] as Json)["digest"],
    ...(tags === undefined ? {} : { RepoTags: tags }),
    Created: json["created"],
    Author: json["author"],
    Labels: config["Labels"] ?? {},
    Architecture: json["architecture"],
    Variant: json["variant"],
    Os: json["os"],
    Config: config,
    Layers: layers.map((l) => l.digest),
    LayersData: layers.map((l) => ({ MIMEType: l.mediaType, Digest: l.digest, Size: l.size })),
    Size: layers.reduce((sum, l) => sum + l.size, 0),
    DiffIds: rootfs["diff_ids"],
    Env: config["Env"] ?? [],
    Annotations: manifest["annotations"],
  };
}
