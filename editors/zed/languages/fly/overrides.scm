[
  (comment)
  (doc_comment)
] @comment.inclusive

(string) @string
