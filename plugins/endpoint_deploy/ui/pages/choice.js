// A labelled choice of one of several.
import { chakra, h, useId } from "./host.js";
import { Muted } from "./parts.js";

const { Box } = chakra;

export function Choice({ label, value, options, onChange }) {
  const id = useId();
  return h(Box, { flex: "1 1 10rem" }, h(Muted, { as: "label", htmlFor: id, display: "block" }, label),
    h(chakra.NativeSelect.Root, null,
      h(chakra.NativeSelect.Field, { id, value, onChange: (event) => onChange(event.target.value) },
        Object.entries(options).map(([key, said]) => h("option", { key, value: key }, said))),
      h(chakra.NativeSelect.Indicator)));
}
