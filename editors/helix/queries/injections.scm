; Made of editors/tree-sitter-fly/queries/injections.scm: UPDATE_EXPECT=1 cargo test --test editors homes
; Where two patterns fit, the later one counts.

; Scripts are bash, whatever `${…}` is in them: it belongs to the shell.
((attribute
   name: (identifier) @_name
   value: [
     (heredoc (heredoc_body) @injection.content)
     (string (string_content) @injection.content)
   ])
  (#any-of? @_name
    "script"
  )
  (#set! injection.language "bash")
  (#set! injection.include-children))

((comment) @injection.content
  (#set! injection.language "comment"))

((doc_comment) @injection.content
  (#set! injection.language "comment"))
