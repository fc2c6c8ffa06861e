[
  (body)
  (list)
  (map)
  (arguments)
  (parenthesized_expression)
] @indent.begin

[
  "}"
  "]"
  ")"
] @indent.branch @indent.end

; Their spaces are text.
(heredoc_body) @indent.ignore

(comment) @indent.auto
