/**
 * @file The grammar of Fly, the language of Polar Gosling.
 * @license Apache-2.0
 *
 * It accepts what flyc's parser accepts without a syntax error, no more and no less: the workspace's test
 * `editors` reads the same files with both. What strings, heredocs, numbers, comments and line ends are is decided in
 * `src/scanner.c`.
 */

/// <reference types="tree-sitter-cli/dsl" />
// @ts-check

const PREC = {
  conditional: 0,
  or: 1,
  and: 2,
  equality: 3,
  comparison: 4,
  sum: 5,
  product: 6,
  unary: 7,
  postfix: 8,
};

const OPERATORS = [
  [PREC.or, ['||']],
  [PREC.and, ['&&']],
  [PREC.equality, ['==', '!=']],
  [PREC.comparison, ['<', '<=', '>', '>=']],
  [PREC.sum, ['+', '-']],
  [PREC.product, ['*', '/', '%']],
];

/** The words after whose `.` a name may hold `-`, as labels may: `egg.my-app`. */
const LABELLED = ['egg', 'bucket', 'job', 'profile', 'rift'];
/** The types that say what they hold: `list<string>`. */
const GENERIC = ['list', 'map'];
const BOOLEAN = ['true', 'false'];

/** Words of the language where they are names. @param {GrammarSymbols<string>} $ @param {string[]} all */
const words = ($, all) => all.map(word => alias(word, $.identifier));

/** @param {RuleOrLiteral} rule @param {RuleOrLiteral} separator */
const separated = (rule, separator) => seq(rule, repeat(seq(separator, rule)), optional(separator));

/**
 * The operations of expressions, of which there are two sets. Within brackets a line end means nothing; outside of them
 * it ends the value, so an operator must stand on the line of what it follows.
 *
 * @param {boolean} free Whether they stand within brackets.
 */
function operations(free) {
  const own = name => free ? `_free_${name}` : name;
  /** @param {GrammarSymbols<string>} $ @param {string} name */
  const node = ($, name) => free ? alias($[own(name)], $[name]) : $[name];
  const expression = free ? '_free_expression' : '_expression';
  const labelled = free ? '_free_labelled' : '_labelled';
  /** What would be a line end here is a mistake. @param {GrammarSymbols<string>} $ */
  const sameLine = $ => free ? [] : [optional($._no_newline)];

  return {
    [expression]: $ => choice(
      $._atom,
      node($, 'unary_expression'),
      node($, 'binary_expression'),
      node($, 'conditional_expression'),
      node($, 'field_expression'),
      node($, 'index_expression'),
    ),

    [own('unary_expression')]: $ => prec(PREC.unary, seq(
      field('operator', choice('-', '!')),
      field('operand', $[expression]),
    )),

    [own('binary_expression')]: $ => choice(...OPERATORS.map(([precedence, operators]) =>
      prec.left(precedence, seq(
        field('left', $[expression]),
        field('operator', operators.length > 1 ? choice(...operators) : operators[0]),
        field('right', $[expression]),
      )),
    )),

    [own('conditional_expression')]: $ => prec.right(PREC.conditional, seq(
      field('condition', $[expression]),
      '?',
      field('consequence', $[expression]),
      ...(free ? [] : [optional($._newline)]),
      ':',
      field('alternative', $[expression]),
    )),

    [own('field_expression')]: $ => prec(PREC.postfix, choice(
      seq(
        field('object', $[expression]),
        '.',
        ...sameLine($),
        field('field', choice($.identifier, ...words($, LABELLED))),
      ),
      seq(
        field('object', choice(...words($, LABELLED), alias($[labelled], $.field_expression))),
        '.',
        ...sameLine($),
        field('field', alias($._entity_name, $.identifier)),
      ),
    )),

    // `a.egg`, behind whose `.` a name may hold `-` as well.
    [labelled]: $ => prec(PREC.postfix + 1, seq(
      field('object', $[expression]),
      '.',
      ...sameLine($),
      field('field', choice(...words($, LABELLED))),
    )),

    [own('index_expression')]: $ => prec(PREC.postfix, seq(
      field('object', $[expression]),
      '[',
      field('index', $._free_expression),
      ']',
    )),
  };
}

module.exports = grammar({
  name: 'fly',

  externals: $ => [
    $._newline,
    // Never there: where it may stand, a line end is a mistake, and the scanner gives it to be one.
    $._no_newline,
    // A line end between a block's header and its `{`.
    $._newline_before_brace,
    $.comment,
    $.doc_comment,
    $.number,
    $.bare_label,
    $._entity_name,
    $._type_open,
    $._string_start,
    $.string_content,
    $._string_end,
    $.escape_sequence,
    $.unknown_escape,
    $._interpolation_start,
    $.heredoc_start,
    $._heredoc_first_line,
    $.heredoc_content,
    $.heredoc_end,
    // What is never closed, and the ends of it, which are never there: the parser finds that they are missing.
    $.unclosed_string,
    $._missing_quote,
    $.unclosed_heredoc,
    $._missing_marker,
    // No rule has these: they stand only in a piece of a file that is wrong.
    $.unclosed_comment,
    $.loose_string,
    $.loose_heredoc,
    $._error_sentinel,
  ],

  extras: $ => [/[ \t\r\n\uFEFF]/, $.comment, $.doc_comment],

  word: $ => $.identifier,

  inline: $ => [$._terminator, $._separator],

  rules: {
    source_file: $ => optional($._items),

    _items: $ => choice(
      repeat1(choice($.block, seq($.attribute, $._terminator))),
      seq(repeat(choice($.block, seq($.attribute, $._terminator))), $.attribute),
    ),

    _terminator: $ => choice(',', $._newline),

    attribute: $ => seq(
      field('name', $.identifier),
      '=',
      optional($._no_newline),
      field('value', $._expression),
    ),

    block: $ => seq(
      field('type', $.identifier),
      field('label', repeat(choice($.string, $.bare_label))),
      optional($._newline_before_brace),
      field('body', $.body),
    ),

    body: $ => seq('{', optional($._items), '}'),

    ...operations(false),
    ...operations(true),

    _atom: $ => choice(
      $.string,
      $.heredoc,
      $.number,
      $.boolean,
      $.identifier,
      ...words($, [...LABELLED, ...GENERIC]),
      $.generic_type,
      $.call_expression,
      $.list,
      $.map,
      $.parenthesized_expression,
    ),

    boolean: _ => choice(...BOOLEAN),

    parenthesized_expression: $ => seq('(', $._free_expression, ')'),

    list: $ => seq('[', optional(separated($._free_expression, ',')), ']'),

    call_expression: $ => seq(
      field('function', choice(
        $.identifier,
        ...words($, [...LABELLED, ...GENERIC, ...BOOLEAN]),
      )),
      field('arguments', $.arguments),
    ),

    arguments: $ => seq('(', optional(separated($._free_expression, ',')), ')'),

    generic_type: $ => seq(
      field('name', choice(...words($, GENERIC))),
      field('arguments', $.type_arguments),
    ),

    type_arguments: $ => seq(alias($._type_open, '<'), repeat(choice($.identifier, $.type_arguments)), '>'),

    map: $ => seq('{', optional(separated($.entry, $._separator)), '}'),

    _separator: $ => choice(seq(optional($._newline), ','), $._newline),

    entry: $ => seq(
      field('key', choice($.identifier, $.string)),
      optional($._no_newline),
      choice('=', ':'),
      optional($._no_newline),
      field('value', $._expression),
    ),

    string: $ => choice(
      seq(
        alias($._string_start, '"'),
        repeat(choice($.string_content, $.escape_sequence, $.unknown_escape, $.interpolation)),
        alias($._string_end, '"'),
      ),
      seq($.unclosed_string, alias($._missing_quote, '"')),
    ),

    heredoc: $ => choice(
      seq(
        $.heredoc_start,
        $._heredoc_first_line,
        optional(alias($._heredoc_body, $.heredoc_body)),
        $.heredoc_end,
      ),
      seq($.unclosed_heredoc, alias($._missing_marker, $.heredoc_end)),
    ),

    _heredoc_body: $ => repeat1(choice($.heredoc_content, $.escape_sequence, $.interpolation)),

    interpolation: $ => seq(alias($._interpolation_start, '${'), $._free_expression, '}'),

    identifier: _ => /[A-Za-z_][A-Za-z0-9_]*/,
  },
});
