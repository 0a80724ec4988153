// A change of an image's configuration, as a line of a Dockerfile says it.

export type ImageChange =
  /** `shell`: one line for the image's shell, not the words themselves. */
  | { readonly kind: "CMD" | "ENTRYPOINT"; readonly words: readonly string[]; readonly shell: boolean }
  | { readonly kind: "ENV" | "LABEL"; readonly pairs: readonly (readonly [name: string, value: string])[] }
  /** `80/tcp`, and absolute paths. */
  | { readonly kind: "EXPOSE" | "VOLUME"; readonly names: readonly string[] }
  /** WORKDIR may be relative to the one before. */
  | { readonly kind: "ONBUILD" | "STOPSIGNAL" | "USER" | "WORKDIR"; readonly value: string };
