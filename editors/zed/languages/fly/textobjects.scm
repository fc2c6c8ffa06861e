; Made of editors/tree-sitter-fly/queries/textobjects.scm: UPDATE_EXPECT=1 cargo test --test editors homes
; Where two patterns fit, the later one counts.

; A block is what other languages have classes for.
(block) @class.around

(body) @class.inside

(comment) @comment.around

(doc_comment)+ @comment.around
