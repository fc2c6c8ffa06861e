// The tokens of Fly that a regular expression can't tell: strings, heredocs and what is inside them, numbers, names with
// dashes, comments, and the line ends that mean something.
//
// Two decisions carry the rest. A string or heredoc begins only where its end is found, so nothing inside of one can
// go wrong afterwards; what is never closed is one token, behind which the end is missing. And `${` begins an
// interpolation only where an expression and its `}` follow: anything else, such as the shell's `${x:-y}`, is text.
//
// It follows `flyc/src/syntax/token.rs`; the workspace's test `editors` finds where it does not.

#include "tree_sitter/alloc.h"
#include "tree_sitter/array.h"
#include "tree_sitter/parser.h"

#include <string.h>

enum TokenType {
  NEWLINE,
  NO_NEWLINE,
  NEWLINE_BEFORE_BRACE,
  COMMENT,
  DOC_COMMENT,
  NUMBER,
  BARE_LABEL,
  ENTITY_NAME,
  TYPE_OPEN,
  STRING_START,
  STRING_CONTENT,
  STRING_END,
  ESCAPE_SEQUENCE,
  UNKNOWN_ESCAPE,
  INTERPOLATION_START,
  HEREDOC_START,
  HEREDOC_FIRST_LINE,
  HEREDOC_CONTENT,
  HEREDOC_END,
  UNCLOSED_STRING,
  MISSING_QUOTE,
  UNCLOSED_HEREDOC,
  MISSING_MARKER,
  UNCLOSED_COMMENT,
  LOOSE_STRING,
  LOOSE_HEREDOC,
  ERROR_SENTINEL,
};

enum {
  // What is remembered besides a heredoc's marker, in bytes.
  STATE_SIZE = 7,
  MAX_MARKER = TREE_SITTER_SERIALIZATION_BUFFER_SIZE - STATE_SIZE,
  // How deeply an expression inside `${…}` may nest to be seen as one, and how many texts may stand in each other: beyond
  // what flyc allows, which counts brackets only.
  MAX_NESTING = 512,
};

// How many bytes are read in a file in search of the ends of interpolations that have none, as in flyc. Each string looks
// for one to the end of its line, so without a limit a long line of many strings would take the square of its length.
static const uint32_t PATIENCE = 1 << 20;

typedef struct {
  // How many of them have been read.
  uint32_t searched;
  // No more of them may be read for the string that this is in.
  bool impatient;
  // How many strings and heredocs this is in: what stands in one and is none of its own tokens is an interpolation's.
  uint16_t open;
  // A `${` before this place is never closed, so that none is looked for up to the end of the string or line.
  bool no_interpolation;
  // The line that holds the heredoc's end marker comes next.
  bool at_end;
  Array(char) marker;
  // The rest of a line, read as far as it was asked for.
  Array(int32_t) line;
} Scanner;

static inline void advance(TSLexer *lexer) { lexer->advance(lexer, false); }

static inline void skip(TSLexer *lexer) { lexer->advance(lexer, true); }

static inline bool is_digit(int32_t c) { return c >= '0' && c <= '9'; }

static inline bool is_name_start(int32_t c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

static inline bool is_name(int32_t c) { return is_name_start(c) || is_digit(c); }

static inline bool is_blank(int32_t c) { return c == ' ' || c == '\t' || c == '\r' || c == 0xFEFF; }

// White space by Unicode, which is what may stand beside a heredoc's end marker.
static bool is_white(int32_t c) {
  return (c >= 0x09 && c <= 0x0D) || c == ' ' || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

static bool at_line_end(TSLexer *lexer) { return lexer->eof(lexer) || lexer->lookahead == '\n'; }

static bool found(TSLexer *lexer, enum TokenType token) {
  lexer->result_symbol = token;
  return true;
}

// --- The rest of a line, and the strings and interpolations in it.

typedef struct {
  Scanner *scanner;
  // None where only what has been read may be asked for.
  TSLexer *lexer;
} Line;

static Line read_line(Scanner *scanner, TSLexer *lexer) {
  array_clear(&scanner->line);
  return (Line){scanner, lexer};
}

// The character so many places behind where the reading began; -1 at the line's end.
static int32_t peek(Line *line, uint32_t at) {
  while (line->scanner->line.size <= at) {
    if (!line->lexer || at_line_end(line->lexer)) return -1;
    array_push(&line->scanner->line, line->lexer->lookahead);
    advance(line->lexer);
  }
  return *array_get(&line->scanner->line, at);
}

// Where the interpolation ends whose inside begins here: behind its `}`. 0 when it does not.
static uint32_t interpolation_end(Line *line, uint32_t at) {
  uint32_t depth = 0;
  bool in_string = false;
  for (;; at++) {
    int32_t c = peek(line, at);
    if (c < 0) return 0;
    if (c == '"') {
      in_string = !in_string;
    } else if (in_string) {
      if (c == '\\') at++;
    } else if (c == '{') {
      depth++;
    } else if (c == '}') {
      if (depth == 0) return at + 1;
      depth--;
    }
  }
}

// How many bytes stand between there and the end of the line, with it.
static uint32_t bytes_from(Line *line, uint32_t at) {
  uint32_t bytes = 1;
  for (; at < line->scanner->line.size; at++) {
    int32_t c = *array_get(&line->scanner->line, at);
    bytes += c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
  }
  return bytes;
}

// Where the string ends whose inside begins here: behind its `"`. 0 when it does not. `strict`: nor when the end of an
// interpolation is missing in it.
static uint32_t string_end(Line *line, uint32_t at, bool strict) {
  Scanner *scanner = line->scanner;
  // The strings in an interpolation are within it, so they have no more than its length to read.
  bool counts = !strict && scanner->open == 0;
  bool interpolates = !counts || scanner->searched < PATIENCE;
  for (;; at++) {
    int32_t c = peek(line, at);
    if (c < 0) return 0;
    if (c == '"') return at + 1;
    if (c == '\\') {
      at++;
    } else if (c == '$') {
      if (peek(line, at + 1) == '$' && peek(line, at + 2) == '{') {
        at += 2;
      } else if (interpolates && peek(line, at + 1) == '{') {
        uint32_t end = interpolation_end(line, at + 2);
        if (end > 0) {
          at = end - 1;
        } else {
          if (strict) return 0;
          if (counts) scanner->searched += bytes_from(line, at + 2);
          interpolates = false;
        }
      }
    }
  }
}

// --- Whether what stands inside `${…}` is an expression, as grammar.js has it.

typedef struct {
  Line line;
  uint32_t at;
  // Where the `}` stands that ends the interpolation.
  uint32_t end;
  uint32_t depth;
  // A comment held a quote or brace without its partner, which counted in search of the end: where a comment of the line ends behind it is told
  // by the whole only, so that is text.
  bool odd;
} Reader;

static bool read_expression(Reader *reader);

// Takes a comment, if there is one. One that ends with the line ends with the interpolation.
static bool take_comment(Reader *reader) {
  int32_t first = peek(&reader->line, reader->at);
  int32_t second = first == '/' ? peek(&reader->line, reader->at + 1) : -1;
  if (first == '#' || second == '/') {
    if (reader->odd) return false;
    reader->at = reader->end;
    return true;
  }
  if (second != '*') return false;
  int32_t depth = 0;
  bool in_string = false;
  for (uint32_t at = reader->at + 2; at + 1 < reader->end; at++) {
    if (peek(&reader->line, at) == '*' && peek(&reader->line, at + 1) == '/') {
      reader->at = at + 2;
      reader->odd = reader->odd || in_string || depth != 0;
      return true;
    }
    int32_t c = peek(&reader->line, at);
    if (c == '"') in_string = !in_string;
    if (!in_string && (c == '{' || c == '}')) depth += c == '{' ? 1 : -1;
  }
  return false;
}

// The next character that is neither space nor in a comment. What stands behind the interpolation is not looked at.
static int32_t next(Reader *reader) {
  do {
    while (is_blank(peek(&reader->line, reader->at))) reader->at++;
  } while (take_comment(reader));
  return peek(&reader->line, reader->at);
}

static bool take(Reader *reader, int32_t c) {
  if (next(reader) != c) return false;
  reader->at++;
  return true;
}

static int32_t ahead(Reader *reader, uint32_t by) { return peek(&reader->line, reader->at + by); }

static bool read_name(Reader *reader) {
  if (!is_name_start(next(reader))) return false;
  while (is_name(ahead(reader, 0))) reader->at++;
  return true;
}

static void read_number(Reader *reader) {
  while (is_name(ahead(reader, 0))) reader->at++;
  if (ahead(reader, 0) == '.' && is_digit(ahead(reader, 1))) {
    reader->at++;
    while (is_name(ahead(reader, 0))) reader->at++;
  }
  if (ahead(reader, 0) == '%' && !is_name(ahead(reader, 1)) && ahead(reader, 1) != '(') reader->at++;
}

static bool read_string(Reader *reader) {
  uint32_t end = string_end(&reader->line, reader->at + 1, true);
  reader->at = end;
  return end > 0;
}

// `value, value, … close`
static bool read_list(Reader *reader, int32_t close) {
  while (!take(reader, close)) {
    if (!read_expression(reader)) return false;
    if (take(reader, ',')) continue;
    return take(reader, close);
  }
  return true;
}

// `key = value, … }`
static bool read_map(Reader *reader) {
  while (!take(reader, '}')) {
    bool key = next(reader) == '"' ? read_string(reader) : read_name(reader);
    if (!key || !(take(reader, '=') || take(reader, ':')) || !read_expression(reader)) return false;
    if (take(reader, ',')) continue;
    return take(reader, '}');
  }
  return true;
}

static bool word_is(Reader *reader, uint32_t start, const char *word) {
  uint32_t length = (uint32_t)strlen(word);
  if (reader->at - start != length) return false;
  for (uint32_t i = 0; i < length; i++) {
    if (peek(&reader->line, start + i) != word[i]) return false;
  }
  return true;
}

// Whether the word that begins there and ends here is one behind whose `.` a name may hold `-`, as in `egg.my-app`.
static bool is_labelled(Reader *reader, uint32_t start) {
  static const char *const LABELLED[] = {"egg", "bucket", "job", "profile", "rift"};
  for (uint32_t i = 0; i < sizeof(LABELLED) / sizeof(*LABELLED); i++) {
    if (word_is(reader, start, LABELLED[i])) return true;
  }
  return false;
}

// The name behind a `.`. `labelled`: whether it may hold `-`; afterwards whether the next one may.
static bool read_field(Reader *reader, bool *labelled) {
  next(reader);
  uint32_t start = reader->at;
  if (!read_name(reader)) return false;
  while (*labelled && ahead(reader, 0) == '-' && is_name(ahead(reader, 1))) {
    reader->at++;
    if (is_digit(ahead(reader, 0))) {
      read_number(reader);
    } else {
      read_name(reader);
    }
  }
  *labelled = !*labelled && is_labelled(reader, start);
  return true;
}

// A name, or a call.
static bool read_reference(Reader *reader, bool *labelled) {
  next(reader);
  uint32_t start = reader->at;
  if (!read_name(reader)) return false;
  bool generic = word_is(reader, start, "list") || word_is(reader, start, "map");
  // A type means nothing in a text.
  if (generic && next(reader) == '<') return false;
  if (take(reader, '(')) return read_list(reader, ')');
  *labelled = is_labelled(reader, start);
  return true;
}

static bool read_operand(Reader *reader) {
  while (next(reader) == '-' || next(reader) == '!') {
    if (ahead(reader, 0) == '!' && ahead(reader, 1) == '=') return false;
    reader->at++;
  }
  int32_t c = next(reader);
  bool read = false, labelled = false;
  if (c == '"') {
    read = read_string(reader);
  } else if (is_digit(c)) {
    read_number(reader);
    read = true;
  } else if (is_name_start(c)) {
    read = read_reference(reader, &labelled);
  } else if (take(reader, '[')) {
    read = read_list(reader, ']');
  } else if (take(reader, '{')) {
    read = read_map(reader);
  } else if (take(reader, '(')) {
    read = read_expression(reader) && take(reader, ')');
  }
  while (read) {
    if (take(reader, '.')) {
      read = read_field(reader, &labelled);
    } else if (take(reader, '[')) {
      read = read_expression(reader) && take(reader, ']');
      labelled = false;
    } else {
      break;
    }
  }
  return read;
}

static bool take_operator(Reader *reader) {
  int32_t first = next(reader), second = ahead(reader, 1);
  uint32_t length = 0;
  switch (first) {
    case '=':
    case '!':
      length = second == '=' ? 2 : 0;
      break;
    case '&':
    case '|':
      length = second == first ? 2 : 0;
      break;
    case '<':
    case '>':
      length = second == '=' ? 2 : 1;
      break;
    case '/':
      // Not a comment.
      length = second == '/' || second == '*' ? 0 : 1;
      break;
    case '+':
    case '-':
    case '*':
    case '%':
      length = 1;
      break;
    default:
      break;
  }
  reader->at += length;
  return length > 0;
}

static bool read_expression(Reader *reader) {
  if (++reader->depth > MAX_NESTING) return false;
  do {
    if (!read_operand(reader)) return false;
  } while (take_operator(reader));
  if (take(reader, '?')) {
    if (!read_expression(reader) || !take(reader, ':') || !read_expression(reader)) return false;
  }
  reader->depth--;
  return true;
}

// Whether the line up to here, which is behind the `}`, is an expression.
static bool is_expression(Line *line, uint32_t end) {
  Reader reader = {{line->scanner, NULL}, 0, end - 1, 0, false};
  return line->scanner->open <= MAX_NESTING && read_expression(&reader) && next(&reader) == '}' &&
         reader.at + 1 == end;
}

// --- Inside strings and heredocs.

// What a `$` turned out to be.
enum Dollar {
  // Text, which goes on behind it.
  TEXT,
  // Text up to where the token was marked to end.
  END_OF_TEXT,
  // The beginning of something else, which is a token of its own.
  OTHER,
};

// At a `$`. `content`: text stands before it in this token, whose end is marked.
static enum Dollar scan_dollar(Scanner *scanner, TSLexer *lexer, bool content, bool in_string) {
  advance(lexer);
  if (!content) lexer->mark_end(lexer);
  if (lexer->lookahead == '{') {
    advance(lexer);
    if (!content || scanner->no_interpolation) lexer->mark_end(lexer);
    if (scanner->no_interpolation) return TEXT;
    Line line = read_line(scanner, lexer);
    if (in_string && scanner->impatient) {
      // It ends at the next quote, whether or not that stands between the braces.
      for (uint32_t at = 0; peek(&line, at) >= 0 && peek(&line, at) != '"'; at++) {
        if (peek(&line, at) == '\\') at++;
      }
      line.lexer = NULL;
    }
    uint32_t end = interpolation_end(&line, 0);
    if (end == 0) {
      // The `${` is text, and the next token if it may not be this one's end.
      scanner->no_interpolation = !content;
      return END_OF_TEXT;
    }
    if (is_expression(&line, end)) {
      lexer->result_symbol = INTERPOLATION_START;
      return content ? END_OF_TEXT : OTHER;
    }
    // What was read goes beyond it.
    if (!line.lexer) return END_OF_TEXT;
    lexer->mark_end(lexer);
    return TEXT;
  }
  bool doubled = lexer->lookahead == '$';
  if (doubled) {
    advance(lexer);
    // Of more than two, the first is text whatever follows.
    if (lexer->lookahead == '$') return END_OF_TEXT;
  }
  if (!doubled || lexer->lookahead != '{') {
    lexer->mark_end(lexer);
    return TEXT;
  }
  if (content) return END_OF_TEXT;
  advance(lexer);
  lexer->mark_end(lexer);
  lexer->result_symbol = ESCAPE_SEQUENCE;
  return OTHER;
}

static bool scan_escape(TSLexer *lexer) {
  advance(lexer);
  int32_t c = lexer->lookahead;
  advance(lexer);
  lexer->mark_end(lexer);
  if (c == 'u' && lexer->lookahead == '{') {
    advance(lexer);
    uint32_t digits = 0, value = 0;
    for (;; digits++) {
      c = lexer->lookahead;
      uint32_t digit = is_digit(c)              ? (uint32_t)(c - '0')
                       : c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a') + 10
                       : c >= 'A' && c <= 'F' ? (uint32_t)(c - 'A') + 10
                                              : 16;
      if (digit == 16 || digits == 8) break;
      value = value * 16 + digit;
      advance(lexer);
    }
    bool is_character = value <= 0x10FFFF && !(value >= 0xD800 && value <= 0xDFFF);
    if (c == '}' && digits > 0 && is_character) {
      advance(lexer);
      lexer->mark_end(lexer);
      return found(lexer, ESCAPE_SEQUENCE);
    }
    return found(lexer, UNKNOWN_ESCAPE);
  }
  bool known = c == 'n' || c == 't' || c == 'r' || c == '"' || c == '\\';
  return found(lexer, known ? ESCAPE_SEQUENCE : UNKNOWN_ESCAPE);
}

static bool scan_in_string(Scanner *scanner, TSLexer *lexer) {
  bool content = false;
  while (!at_line_end(lexer)) {
    switch (lexer->lookahead) {
      case '"':
        if (content) return found(lexer, STRING_CONTENT);
        advance(lexer);
        lexer->mark_end(lexer);
        scanner->no_interpolation = false;
        scanner->impatient = false;
        if (scanner->open > 0) scanner->open--;
        return found(lexer, STRING_END);
      case '\\':
        return content ? found(lexer, STRING_CONTENT) : scan_escape(lexer);
      case '$': {
        enum Dollar dollar = scan_dollar(scanner, lexer, content, true);
        if (dollar == OTHER) return true;
        if (dollar == END_OF_TEXT) return found(lexer, STRING_CONTENT);
        break;
      }
      default:
        advance(lexer);
        lexer->mark_end(lexer);
    }
    content = true;
  }
  return content && found(lexer, STRING_CONTENT);
}

// Whether the line that begins here is the end marker's. Reads no further than the first character that is not.
static bool at_marker(Scanner *scanner, TSLexer *lexer, bool mark) {
  while (!at_line_end(lexer) && is_white(lexer->lookahead)) advance(lexer);
  for (uint32_t i = 0; i < scanner->marker.size; i++) {
    if (lexer->lookahead != *array_get(&scanner->marker, i)) return false;
    advance(lexer);
  }
  if (mark) lexer->mark_end(lexer);
  while (!at_line_end(lexer) && is_white(lexer->lookahead)) advance(lexer);
  return at_line_end(lexer);
}

static bool scan_in_heredoc(Scanner *scanner, TSLexer *lexer) {
  if (scanner->at_end) {
    while (is_white(lexer->lookahead)) skip(lexer);
    for (uint32_t i = 0; i < scanner->marker.size; i++) advance(lexer);
    lexer->mark_end(lexer);
    scanner->at_end = false;
    array_clear(&scanner->marker);
    if (scanner->open > 0) scanner->open--;
    return found(lexer, HEREDOC_END);
  }
  bool content = false;
  while (!lexer->eof(lexer)) {
    if (lexer->lookahead == '\n') {
      advance(lexer);
      lexer->mark_end(lexer);
      scanner->no_interpolation = false;
      scanner->at_end = at_marker(scanner, lexer, false);
      if (scanner->at_end) return found(lexer, HEREDOC_CONTENT);
    } else if (lexer->lookahead == '$') {
      if (content) lexer->mark_end(lexer);
      enum Dollar dollar = scan_dollar(scanner, lexer, content, false);
      if (dollar == OTHER) return true;
      if (dollar == END_OF_TEXT) return found(lexer, HEREDOC_CONTENT);
    } else {
      advance(lexer);
    }
    content = true;
  }
  return false;
}

static bool scan_first_line(Scanner *scanner, TSLexer *lexer) {
  while (!at_line_end(lexer)) advance(lexer);
  if (lexer->eof(lexer)) return false;
  advance(lexer);
  lexer->mark_end(lexer);
  scanner->no_interpolation = false;
  scanner->at_end = at_marker(scanner, lexer, false);
  // The body may begin with a `$`.
  return found(lexer, HEREDOC_FIRST_LINE);
}

// --- Outside of them.

static bool scan_string(Scanner *scanner, TSLexer *lexer, bool recovering) {
  advance(lexer);
  lexer->mark_end(lexer);
  bool impatient = scanner->open == 0 && scanner->searched >= PATIENCE;
  Line line = read_line(scanner, lexer);
  uint32_t end = string_end(&line, 0, false);
  if (end == 0) {
    lexer->mark_end(lexer);
    return found(lexer, UNCLOSED_STRING);
  }
  if (recovering) {
    lexer->mark_end(lexer);
    return found(lexer, LOOSE_STRING);
  }
  scanner->impatient = impatient;
  scanner->open++;
  return found(lexer, STRING_START);
}

// At `<`.
static bool scan_heredoc(Scanner *scanner, TSLexer *lexer, bool recovering) {
  advance(lexer);
  if (lexer->lookahead != '<') return false;
  advance(lexer);
  if (lexer->lookahead == '-') advance(lexer);
  if (!is_name_start(lexer->lookahead)) return false;
  array_clear(&scanner->marker);
  while (is_name(lexer->lookahead)) {
    array_push(&scanner->marker, (char)lexer->lookahead);
    advance(lexer);
  }
  lexer->mark_end(lexer);
  bool ends = false;
  while (!ends && !lexer->eof(lexer)) {
    while (!at_line_end(lexer)) advance(lexer);
    if (lexer->eof(lexer)) break;
    advance(lexer);
    ends = !lexer->eof(lexer) && at_marker(scanner, lexer, recovering);
  }
  if (!ends || scanner->marker.size > MAX_MARKER) {
    while (!lexer->eof(lexer)) advance(lexer);
    lexer->mark_end(lexer);
    array_clear(&scanner->marker);
    return found(lexer, UNCLOSED_HEREDOC);
  }
  scanner->at_end = false;
  if (recovering) {
    array_clear(&scanner->marker);
    return found(lexer, LOOSE_HEREDOC);
  }
  scanner->open++;
  return found(lexer, HEREDOC_START);
}

// At `<`, behind a word such as `list`: whether `<string>` follows and no comparison.
static bool scan_type_open(TSLexer *lexer) {
  uint32_t depth = 0;
  while (!at_line_end(lexer)) {
    int32_t c = lexer->lookahead;
    if (is_blank(c)) {
      advance(lexer);
    } else if (is_name_start(c)) {
      while (is_name(lexer->lookahead)) advance(lexer);
    } else if (c == '<' || c == '>') {
      advance(lexer);
      if (depth == 0) lexer->mark_end(lexer);
      depth += c == '<' ? 1 : -1;
      bool longer = lexer->lookahead == '=' || (c == '<' && lexer->lookahead == '<');
      if (longer) return false;
      if (depth == 0) return found(lexer, TYPE_OPEN);
    } else {
      return false;
    }
  }
  return false;
}

static void scan_number(TSLexer *lexer) {
  while (is_name(lexer->lookahead)) advance(lexer);
  lexer->mark_end(lexer);
  if (lexer->lookahead == '.') {
    advance(lexer);
    if (!is_digit(lexer->lookahead)) return;
    while (is_name(lexer->lookahead)) advance(lexer);
    lexer->mark_end(lexer);
  }
  if (lexer->lookahead == '%') {
    // `5%` is a percentage; in `5%2` and `5%(a)` the sign is an operator.
    advance(lexer);
    if (!is_name(lexer->lookahead) && lexer->lookahead != '(') lexer->mark_end(lexer);
  }
}

// A name or number and whatever touches it, such as `my-app-2`. `entity`: one that begins as a name.
static bool scan_dashed(TSLexer *lexer, bool entity) {
  if (entity) {
    while (is_name(lexer->lookahead)) advance(lexer);
    lexer->mark_end(lexer);
    while (lexer->lookahead == '-') {
      advance(lexer);
      if (!is_name(lexer->lookahead)) break;
      if (is_digit(lexer->lookahead)) {
        scan_number(lexer);
      } else {
        while (is_name(lexer->lookahead)) advance(lexer);
        lexer->mark_end(lexer);
      }
    }
    return found(lexer, ENTITY_NAME);
  }
  while (is_name(lexer->lookahead) || lexer->lookahead == '-') {
    if (is_digit(lexer->lookahead)) {
      scan_number(lexer);
    } else {
      advance(lexer);
      lexer->mark_end(lexer);
    }
  }
  return found(lexer, BARE_LABEL);
}

// Reads a comment to the end of the line, or of the interpolation that it is `inside` of.
static void read_line_comment(TSLexer *lexer, bool inside) {
  uint32_t depth = 0;
  bool in_string = false;
  for (; !at_line_end(lexer); advance(lexer)) {
    int32_t c = lexer->lookahead;
    // As in `interpolation_end`, which found it.
    if (c == '"') {
      in_string = !in_string;
    } else if (in_string) {
      if (c == '\\') advance(lexer);
      if (at_line_end(lexer)) return;
    } else if (c == '{') {
      depth++;
    } else if (c == '}') {
      if (inside && depth == 0) return;
      if (depth > 0) depth--;
    }
  }
}

// Reads a comment that begins here with `/`, of any length. `newline`: whether a line ends in it.
static enum TokenType read_comment(TSLexer *lexer, bool inside, bool *newline) {
  advance(lexer);
  if (lexer->lookahead == '/') {
    advance(lexer);
    bool doc = lexer->lookahead == '/';
    if (doc) {
      advance(lexer);
      // A rule drawn with slashes documents nothing.
      doc = lexer->lookahead != '/';
    }
    read_line_comment(lexer, inside);
    return doc ? DOC_COMMENT : COMMENT;
  }
  if (lexer->lookahead != '*') return ERROR_SENTINEL;
  advance(lexer);
  bool star = false;
  while (!lexer->eof(lexer)) {
    int32_t c = lexer->lookahead;
    advance(lexer);
    if (star && c == '/') return COMMENT;
    star = c == '*';
    *newline = *newline || c == '\n';
  }
  return UNCLOSED_COMMENT;
}

// Whether a `{` is the next thing that is neither space nor comment.
static bool before_brace(TSLexer *lexer) {
  for (;;) {
    bool newline = false;
    if (is_blank(lexer->lookahead) || lexer->lookahead == '\n') {
      advance(lexer);
    } else if (lexer->lookahead == '#') {
      while (!at_line_end(lexer)) advance(lexer);
    } else if (lexer->lookahead != '/' || read_comment(lexer, false, &newline) == ERROR_SENTINEL) {
      return lexer->lookahead == '{';
    }
  }
}

// A line end that means something here. Between a header and its `{` it is one token, elsewhere another.
static bool scan_newline(TSLexer *lexer, const bool *valid, bool recovering) {
  bool header = valid[NEWLINE_BEFORE_BRACE] && !recovering;
  return found(lexer, header && before_brace(lexer) ? NEWLINE_BEFORE_BRACE : NEWLINE);
}

static bool scan(Scanner *scanner, TSLexer *lexer, const bool *valid) {
  bool recovering = valid[ERROR_SENTINEL];
  if (!recovering) {
    if (valid[STRING_CONTENT]) return scan_in_string(scanner, lexer);
    if (valid[HEREDOC_FIRST_LINE]) return scan_first_line(scanner, lexer);
    if (valid[HEREDOC_END]) return scan_in_heredoc(scanner, lexer);
  }
  bool newline = valid[NEWLINE] || valid[NO_NEWLINE] || valid[NEWLINE_BEFORE_BRACE] || valid[MISSING_QUOTE];
  for (;;) {
    if (is_blank(lexer->lookahead)) {
      skip(lexer);
    } else if (lexer->lookahead == '\n') {
      if (newline) {
        advance(lexer);
        lexer->mark_end(lexer);
        return scan_newline(lexer, valid, recovering);
      }
      skip(lexer);
    } else {
      break;
    }
  }
  int32_t c = lexer->lookahead;
  if (c == '#') {
    read_line_comment(lexer, scanner->open > 0);
    lexer->mark_end(lexer);
    return found(lexer, COMMENT);
  }
  if (c == '/') {
    // A line end within a comment counts as one, which then stands before the comment.
    lexer->mark_end(lexer);
    bool ends_line = false;
    enum TokenType comment = read_comment(lexer, scanner->open > 0, &ends_line);
    if (comment == ERROR_SENTINEL) return false;
    if (ends_line && newline && !recovering && comment == COMMENT) return scan_newline(lexer, valid, recovering);
    lexer->mark_end(lexer);
    return found(lexer, comment);
  }
  if (c == '"' && (valid[STRING_START] || recovering)) return scan_string(scanner, lexer, recovering);
  if (c == '<') {
    if (valid[TYPE_OPEN] && !recovering) return scan_type_open(lexer);
    if (valid[HEREDOC_START]) return scan_heredoc(scanner, lexer, recovering);
    return false;
  }
  if (valid[ENTITY_NAME] && !recovering && is_name_start(c)) return scan_dashed(lexer, true);
  if (valid[BARE_LABEL] && !recovering && (is_name(c) || c == '-')) return scan_dashed(lexer, false);
  if (valid[NUMBER] && is_digit(c)) {
    scan_number(lexer);
    return found(lexer, NUMBER);
  }
  return false;
}

void *tree_sitter_fly_external_scanner_create(void) {
  Scanner *scanner = ts_calloc(1, sizeof(Scanner));
  array_init(&scanner->marker);
  array_init(&scanner->line);
  return scanner;
}

void tree_sitter_fly_external_scanner_destroy(void *payload) {
  Scanner *scanner = payload;
  array_delete(&scanner->marker);
  array_delete(&scanner->line);
  ts_free(scanner);
}

unsigned tree_sitter_fly_external_scanner_serialize(void *payload, char *buffer) {
  Scanner *scanner = payload;
  buffer[0] = (char)(scanner->no_interpolation | scanner->at_end << 1 | scanner->impatient << 2);
  memcpy(buffer + 1, &scanner->open, 2);
  memcpy(buffer + 3, &scanner->searched, 4);
  if (scanner->marker.size > 0) memcpy(buffer + STATE_SIZE, scanner->marker.contents, scanner->marker.size);
  return STATE_SIZE + scanner->marker.size;
}

void tree_sitter_fly_external_scanner_deserialize(void *payload, const char *buffer, unsigned length) {
  Scanner *scanner = payload;
  scanner->no_interpolation = scanner->at_end = scanner->impatient = false;
  scanner->open = 0;
  scanner->searched = 0;
  array_clear(&scanner->marker);
  if (length < STATE_SIZE) return;
  scanner->no_interpolation = buffer[0] & 1;
  scanner->at_end = buffer[0] & 2;
  scanner->impatient = buffer[0] & 4;
  memcpy(&scanner->open, buffer + 1, 2);
  memcpy(&scanner->searched, buffer + 3, 4);
  if (length > STATE_SIZE) array_extend(&scanner->marker, length - STATE_SIZE, buffer + STATE_SIZE);
}

bool tree_sitter_fly_external_scanner_scan(void *payload, TSLexer *lexer, const bool *valid_symbols) {
  return scan(payload, lexer, valid_symbols);
}
