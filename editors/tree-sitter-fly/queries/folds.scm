[
  (body)
  (list)
  (map)
  (arguments)
  (heredoc)
  (comment)
] @fold

(doc_comment)+ @fold
