" Colours of Fly by its shapes, where there is no parser for tree-sitter; what a word means the language server colours.
" No list of the language's words is kept here.
if exists("b:current_syntax")
  finish
endif

syntax case match
syntax iskeyword @,48-57,_

" Names: of an attribute or an entry, of a block, of a call.
syntax match flyAttribute "\<\h\w*\>\ze\s*=\%(=\)\@!"
syntax match flyBlock "^\s*\zs\h\w*\ze\s*\%(\%(\"[^"]*\"\|\h[[:alnum:]_-]*\)\s*\)*{" nextgroup=flyLabel,flyBareLabel skipwhite
syntax match flyBareLabel "\h[[:alnum:]_-]*" contained nextgroup=flyLabel,flyBareLabel skipwhite
syntax region flyLabel start=+"+ skip=+\\.+ end=+"+ oneline contained nextgroup=flyLabel,flyBareLabel skipwhite
syntax match flyCall "\<\h\w*\>\ze("
" What is behind a point is a name, whatever it is elsewhere.
syntax match flyMember "\.\s*\zs\h\w*\%(-\w\+\)*"

" Values.
syntax keyword flyBoolean true false
syntax match flyNumber "\<\d\w*\%(\.\d\w*\)\?\%(%\%(\w\|(\)\@!\)\?"
syntax match flyOperator "[-+*/%!<>=?]\|&&\|||"

" Texts. What is within `${…}` may hold quotes and braces of its own.
syntax match flyEscape "\\." contained
syntax match flyDollar "\$\$\ze{" contained
syntax region flyInterpolation matchgroup=flySpecial start="\${" end="}" oneline contained contains=flyInside,flyString,flyNumber,flyBoolean,flyCall,flyMember,flyOperator
syntax region flyInside start="{" end="}" oneline contained contains=flyInside,flyString,flyNumber,flyBoolean,flyCall,flyMember
syntax region flyString start=+"+ skip=+\\.+ end=+"+ oneline contains=flyEscape,flyDollar,flyInterpolation
syntax region flyHeredoc matchgroup=flyMarker start="<<-\?\z(\h\w*\)\s*$" end="^\s*\z1\s*$" contains=flyDollar,flyInterpolation

syntax match flyComment "#.*$" contains=flyTodo,@Spell
syntax match flyComment "//.*$" contains=flyTodo,@Spell
syntax match flyDocumentation "///.*$" contains=flyTodo,@Spell
syntax region flyComment start="/\*" end="\*/" contains=flyTodo,@Spell
syntax keyword flyTodo TODO FIXME XXX contained

" Heredocs may be long.
syntax sync minlines=200

highlight default link flyAttribute Identifier
highlight default link flyBlock Type
highlight default link flyLabel String
highlight default link flyBareLabel String
highlight default link flyCall Function
highlight default link flyBoolean Boolean
highlight default link flyNumber Number
highlight default link flyOperator Operator
highlight default link flyEscape SpecialChar
highlight default link flyDollar SpecialChar
highlight default link flySpecial Special
highlight default link flyString String
highlight default link flyHeredoc String
highlight default link flyMarker Delimiter
highlight default link flyComment Comment
highlight default link flyDocumentation SpecialComment
highlight default link flyTodo Todo

let b:current_syntax = "fly"
