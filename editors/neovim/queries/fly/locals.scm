; `locals { name = … }` and `local.name`. A file is one scope: what nest.fly defines is seen everywhere, and a file of its
; own may define more.

(source_file) @local.scope

((block
   type: (identifier) @_block
   body: (body (attribute name: (identifier) @local.definition.var)))
  (#eq? @_block "locals"))

((field_expression
   object: (identifier) @_object
   field: (identifier) @local.reference)
  (#eq? @_object "local"))

((block
   type: (identifier) @_block
   label: (string (string_content) @local.definition.parameter))
  (#eq? @_block "variable"))

((field_expression
   object: (identifier) @_object
   field: (identifier) @local.reference)
  (#eq? @_object "var"))

((block
   type: (identifier) @_block
   label: (string (string_content) @local.definition.type))
  (#eq? @_block "profile"))

((field_expression
   object: (identifier) @_object
   field: (identifier) @local.reference)
  (#eq? @_object "profile"))
