; The nodes are those of editors/tree-sitter-fly/queries/indents.scm, which a test sees to; Zed wants their ends as well.
(body "}" @end) @indent
(list "]" @end) @indent
(map "}" @end) @indent
(arguments ")" @end) @indent
(parenthesized_expression ")" @end) @indent
