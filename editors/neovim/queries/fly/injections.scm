; Scripts are bash, whatever `${…}` is in them: it belongs to the shell.
((attribute
   name: (identifier) @_name
   value: [
     (heredoc (heredoc_body) @injection.content)
     (string (string_content) @injection.content)
   ])
  (#any-of? @_name
    ; words: scripts
    "script"
    ; end
  )
  (#set! injection.language "bash")
  (#set! injection.include-children))

((comment) @injection.content
  (#set! injection.language "comment"))

((doc_comment) @injection.content
  (#set! injection.language "comment"))
