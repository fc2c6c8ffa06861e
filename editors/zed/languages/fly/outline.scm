; Blocks by their labels, or by what they are.
(block
  type: (identifier) @context
  label: (string (string_content) @name)) @item

(block
  type: (identifier) @context
  label: (bare_label) @name) @item

(block
  type: (identifier) @name
  .
  body: (body)) @item

(doc_comment) @annotation
