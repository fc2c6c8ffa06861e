(block) @block.outer
; From the first item to the last.
(block body: (body [(_) ","]+ @block.inner))

; A block is what other languages have classes for.
(block) @class.outer
(body) @class.inner

(attribute
  name: (identifier) @assignment.lhs
  value: (_) @assignment.rhs @assignment.inner) @assignment.outer

(entry
  key: (_) @assignment.lhs
  value: (_) @assignment.rhs @assignment.inner) @assignment.outer

(call_expression) @call.outer
(call_expression arguments: (arguments) @call.inner)

(arguments (_) @parameter.inner)
(list (_) @parameter.inner)
(arguments . (_) @parameter.outer . ","? @parameter.outer)
(list . (_) @parameter.outer . ","? @parameter.outer)

(conditional_expression) @conditional.outer
(conditional_expression consequence: (_) @conditional.inner)

(number) @number.inner

(comment) @comment.outer
(doc_comment)+ @comment.outer
