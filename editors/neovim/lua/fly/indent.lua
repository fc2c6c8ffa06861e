-- Where a line begins: by the brackets before it. The formatter of the server has the last word.

local M = {}

-- Reads the brackets of a line that begins in `state`: what is in texts and comments is none.
-- Returns how many are open more than before, and how many the line closes before anything else.
local function read(line, state)
  local depth, leading, first = 0, 0, true
  local at = 1
  while at <= #line do
    local rest = line:sub(at)
    local two = rest:sub(1, 2)
    local sign = rest:sub(1, 1)
    if state.comment then
      local close = rest:find("*/", 1, true)
      if not close then
        return depth, leading
      end
      state.comment = false
      at = at + close + 1
    elseif sign == "#" or two == "//" then
      return depth, leading
    elseif two == "/*" then
      state.comment = true
      at = at + 2
    elseif sign == '"' then
      -- A text ends on its line.
      local close = 2
      while close <= #rest and rest:sub(close, close) ~= '"' do
        close = close + (rest:sub(close, close) == "\\" and 2 or 1)
      end
      first = false
      at = at + close
    elseif rest:match("^<<%-?[%a_][%w_]*%s*$") then
      state.heredoc = rest:match("^<<%-?([%a_][%w_]*)")
      return depth, leading
    else
      if sign:match("[{%[(]") then
        depth, first = depth + 1, false
      elseif sign:match("[}%])]") then
        depth = depth - 1
        leading = leading + (first and 1 or 0)
      elseif not sign:match("%s") then
        first = false
      end
      at = at + 1
    end
  end
  return depth, leading
end

-- The column of a line; -1 leaves it where it is, as the text of a heredoc or a comment has to be.
function M.of(lnum)
  local lines = vim.api.nvim_buf_get_lines(0, 0, lnum, false)
  local state = { comment = false, heredoc = nil }
  -- The last line that counts: where it begins, what it opens, what it closes first.
  local base, opened = 0, 0
  for number, line in ipairs(lines) do
    local last = number == lnum
    if state.heredoc then
      if last then
        return -1
      end
      if vim.trim(line) == state.heredoc then
        state.heredoc = nil
      end
    elseif state.comment and last then
      return -1
    elseif last then
      local _, leading = read(line, state)
      -- Brackets that open on one line go in by one step, and so come out by one.
      local steps = (opened > 0 and 1 or 0) - (leading > 0 and 1 or 0)
      return math.max(0, base + steps * vim.fn.shiftwidth())
    elseif line:match("%S") and not state.comment then
      base = vim.fn.indent(number)
      local depth, leading = read(line, state)
      -- What it closes at its beginning it has come out for itself.
      opened = depth + leading
      if opened < 0 then
        base, opened = math.max(0, base - vim.fn.shiftwidth()), 0
      end
    elseif line:match("%S") then
      read(line, state)
    end
  end
  return -1
end

return M
