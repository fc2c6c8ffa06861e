" Fly is indented by its brackets: see lua/fly/indent.lua.
if exists("b:did_indent")
  finish
endif
let b:did_indent = 1

setlocal indentexpr=v:lua.require'fly.indent'.of(v:lnum)
setlocal indentkeys=0},0],0),!^F,o,O
setlocal nosmartindent
let b:undo_indent = "setlocal indentexpr< indentkeys< smartindent<"
