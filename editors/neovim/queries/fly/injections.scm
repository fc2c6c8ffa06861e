; Scripts are bash, whatever `${…}` is in them: it belongs to the shell.
((attribute
   name: (identifier) @_name
   value: [
     (heredoc (heredoc_body) @injection.content)
     (parenthesized_expression (heredoc (heredoc_body) @injection.content))
     (conditional_expression consequence: (heredoc (heredoc_body) @injection.content))
     (conditional_expression alternative: (heredoc (heredoc_body) @injection.content))
     (parenthesized_expression (conditional_expression consequence: (heredoc (heredoc_body) @injection.content)))
     (parenthesized_expression (conditional_expression alternative: (heredoc (heredoc_body) @injection.content)))
   ])
  (#any-of? @_name
    ; words: scripts
    "script"
    ; end
  )
  (#set! injection.language "bash")
  (#set! injection.include-children))

; The text of a string is in pieces, between its escapes and with them.
((attribute
   name: (identifier) @_name
   value: [
     (string (_) @injection.content)
     (parenthesized_expression (string (_) @injection.content))
     (conditional_expression consequence: (string (_) @injection.content))
     (conditional_expression alternative: (string (_) @injection.content))
     (parenthesized_expression (conditional_expression consequence: (string (_) @injection.content)))
     (parenthesized_expression (conditional_expression alternative: (string (_) @injection.content)))
   ])
  (#any-of? @_name
    ; words: scripts
    "script"
    ; end
  )
  (#set! injection.language "bash")
  (#set! injection.include-children)
  (#set! injection.combined))

((comment) @injection.content
  (#set! injection.language "comment"))

((doc_comment) @injection.content
  (#set! injection.language "comment"))
