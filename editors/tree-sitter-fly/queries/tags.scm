; Blocks by their labels, with the documentation above them.
((doc_comment)* @doc
  .
  (block label: (string (string_content) @name)) @definition.class
  (#strip! @doc "^///\\s?")
  (#select-adjacent! @doc @definition.class))

((doc_comment)* @doc
  .
  (block
    type: (identifier) @name
    .
    body: (body)) @definition.module
  (#strip! @doc "^///\\s?")
  (#select-adjacent! @doc @definition.module))

((block
   type: (identifier) @_block
   body: (body (attribute name: (identifier) @name) @definition.constant))
  (#eq? @_block "locals"))

((field_expression
   object: (identifier) @_object
   field: (identifier) @name) @reference.class
  (#any-of? @_object "egg" "bucket" "profile"))

((field_expression
   object: (identifier) @_object
   field: (identifier) @name) @reference.constant
  (#any-of? @_object "local" "var"))

(call_expression function: (identifier) @name) @reference.call
