; Made of editors/tree-sitter-fly/queries/indents.scm: UPDATE_EXPECT=1 cargo test --test editors homes
; Where two patterns fit, the later one counts.

[
  (body)
  (list)
  (map)
  (arguments)
  (parenthesized_expression)
] @indent

[
  "}"
  "]"
  ")"
] @outdent
