; Made of editors/tree-sitter-fly/queries/textobjects.scm: UPDATE_EXPECT=1 cargo test --test editors homes
; Where two patterns fit, the later one counts.

; A block is what other languages have classes for.
(block) @class.around

(body) @class.inside

(attribute
  name: (identifier)
  value: (_) @entry.inside) @entry.around

(entry
  key: (_)
  value: (_) @entry.inside) @entry.around

(arguments (_) @parameter.inside)

(list (_) @parameter.inside)

(arguments . (_) @parameter.around . ","? @parameter.around)

(list . (_) @parameter.around . ","? @parameter.around)

(comment) @comment.around

(doc_comment)+ @comment.around
