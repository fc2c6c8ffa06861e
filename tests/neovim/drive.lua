-- Drives Neovim as somebody who edits a Nest would; what came out goes to RESULT as JSON.
-- Nothing here sleeps: each step waits for what it needs to see.

local nest, result = vim.env.NEST, vim.env.RESULT
local seen = { version = tostring(vim.version().major) .. "." .. vim.version().minor .. "." .. vim.version().patch }
local told = {}
vim.notify = function(message)
  table.insert(told, message)
end

-- What the server puts into messages of its own, which go through no `vim.notify` in 0.7.
local messages = {}
vim.lsp.handlers["window/showMessage"] = function(_, params)
  table.insert(messages, params.message)
end

local function wait(what, holds)
  if not vim.wait(30000, holds, 20) then
    error("nothing came of: " .. what .. "; told: " .. vim.inspect(told))
  end
end

local function text(bufnr)
  return table.concat(vim.api.nvim_buf_get_lines(bufnr or 0, 0, -1, false), "\n") .. "\n"
end

local function codes()
  local all = {}
  for _, found in ipairs(vim.diagnostic.get(0)) do
    table.insert(all, found.code or found.user_data.lsp.code)
  end
  table.sort(all)
  return all
end

local function cursor(pattern, after)
  vim.fn.cursor(1, 1)
  assert(vim.fn.search(pattern, after and "ceW" or "cW") > 0, pattern)
end

local function drive()
  vim.cmd("edit " .. nest .. "/Eggs/web/config.fly")
  seen.filetype = vim.bo.filetype
  seen.commentstring = vim.bo.commentstring
  local fly = require("fly")
  wait("a server", function()
    return fly.client() ~= nil
  end)
  seen.root = vim.fn.fnamemodify(fly.client().config.root_dir, ":t")

  -- A diagnostic, where it is.
  wait("a diagnostic", function()
    return #vim.diagnostic.get(0) > 0
  end)
  seen.diagnostics = codes()
  seen.line = vim.diagnostic.get(0)[1].lnum + 1

  -- Its fix, as a code action.
  cursor("memry")
  local params = vim.lsp.util.make_range_params(0, fly.client().offset_encoding)
  params.context = { diagnostics = {} }
  local actions
  vim.lsp.buf_request(0, "textDocument/codeAction", params, function(problem, found)
    actions = problem or found or {}
  end)
  wait("code actions", function()
    return actions ~= nil
  end)
  for _, action in ipairs(actions) do
    if action.edit and action.kind == "quickfix" then
      seen.action = action.title
      vim.lsp.util.apply_workspace_edit(action.edit, fly.client().offset_encoding)
      break
    end
  end
  wait("no diagnostic", function()
    return #vim.diagnostic.get(0) == 0
  end)
  seen.fixed = text()

  -- Hover.
  cursor("memory")
  local hover
  vim.lsp.buf_request(0, "textDocument/hover", vim.lsp.util.make_position_params(0, fly.client().offset_encoding), function(_, found)
    hover = found or {}
  end)
  wait("hover", function()
    return hover ~= nil
  end)
  seen.hover = hover.contents and hover.contents.value

  -- Completion by omnifunc, as CTRL-X CTRL-O does it; what is typed is taken when this step is over.
  cursor('"vm"')
  seen.omnifunc = vim.bo.omnifunc
  vim.o.completeopt = "menuone,noselect"
  vim.api.nvim_feedkeys(vim.api.nvim_replace_termcodes("a<C-x><C-o>", true, false, true), "n", false)
end

local function items()
  return vim.fn.complete_info({ "items" }).items or {}
end

-- What is offered, and out of insert mode again.
local function offered()
  seen.completion = vim.tbl_map(function(item)
    return item.abbr ~= "" and item.abbr or item.word
  end, items())
  vim.api.nvim_feedkeys(vim.api.nvim_replace_termcodes("<C-e><Esc>", true, false, true), "n", false)
end

local function rest()
  local fly = require("fly")
  vim.api.nvim_buf_set_lines(0, 0, -1, false, vim.split(vim.trim(seen.fixed), "\n"))

  -- Formatting.
  cursor("cpu")
  vim.cmd([[silent! s/cpu\s*=/cpu=/]])
  if vim.lsp.buf.format then
    vim.lsp.buf.format({ async = false, timeout_ms = 30000 })
  else
    vim.lsp.buf.formatting_sync({}, 30000)
  end
  seen.formatted = text()
  vim.cmd("silent write")

  -- A rename that is refused says why.
  cursor('"web"')
  vim.fn.cursor(vim.fn.line("."), vim.fn.col(".") + 1)
  told = {}
  vim.lsp.buf.rename("docs")
  wait("a refusal", function()
    return #told > 0
  end)
  seen.refused = told[1]

  -- One that is not: texts, files on disk, the folder and the buffer.
  vim.lsp.buf.rename("site")
  wait("the folder to move", function()
    return vim.loop.fs_stat(nest .. "/Eggs/site/config.fly") ~= nil
  end)
  wait("the server to follow", function()
    return vim.api.nvim_buf_get_name(0) == nest .. "/Eggs/site/config.fly" and fly.client() ~= nil
  end)
  seen.renamed = vim.fn.readfile(nest .. "/Eggs/site/config.fly")
  seen.elsewhere = vim.fn.readfile(nest .. "/UF/config.fly")
  seen.left = vim.loop.fs_stat(nest .. "/Eggs/web") ~= nil

  -- It goes on being served under its new name.
  vim.api.nvim_buf_set_lines(0, 1, 2, false, { "  type = 1" })
  wait("a diagnostic under the new name", function()
    return #vim.diagnostic.get(0) > 0
  end)
  seen.after = codes()

  -- The commands: each shows the server's answer in a window of its own.
  vim.fn.cursor(2, 10)
  local file = vim.api.nvim_get_current_buf()
  seen.kinds = vim.fn.getcompletion("FlyExplain ty", "cmdline")
  vim.cmd("FlyExplain")
  wait("an explanation", function()
    return vim.bo.filetype == "markdown"
  end)
  seen.explained = text()
  vim.cmd("bwipeout")
  vim.api.nvim_set_current_buf(file)
  vim.api.nvim_buf_set_lines(0, 1, 2, false, { '  type = "vm"' })
  wait("no diagnostic again", function()
    return #vim.diagnostic.get(0) == 0
  end)
  vim.cmd("FlySimulate")
  wait("a simulation", function()
    return vim.bo.filetype == "markdown"
  end)
  seen.simulated = text()
  vim.cmd("bwipeout")
  vim.api.nvim_set_current_buf(file)
  vim.cmd("FlyGenerated")
  wait("what is built", function()
    return vim.api.nvim_get_current_buf() ~= file
  end)
  local all = vim.fn.getloclist(0)
  seen.files = #all
  for _, file in ipairs(all) do
    seen.generated = (seen.generated or "") .. text(file.bufnr)
  end
  seen.windows = #vim.api.nvim_list_wins()
  vim.api.nvim_set_current_buf(file)
  vim.cmd("only")

  -- The lenses: each is run as one clicks on it. All that they show is in windows, not in messages.
  seen.lenses = {}
  local lenses
  vim.lsp.buf_request(0, "textDocument/codeLens", { textDocument = { uri = vim.uri_from_bufnr(0) } }, function(problem, found)
    lenses = problem or found or {}
  end)
  wait("lenses", function()
    return lenses ~= nil
  end)
  vim.lsp.codelens.on_codelens(nil, lenses, { client_id = fly.client().id, bufnr = file, method = "textDocument/codeLens" }, {})
  wait("lenses that say what they do", function()
    for _, lens in ipairs(vim.lsp.codelens.get(file)) do
      if not lens.command then
        return false
      end
    end
    return #lenses > 0
  end)
  for _, lens in ipairs(vim.lsp.codelens.get(file)) do
    local name = lens.command.command
    -- Of several on a line it is the one that is asked for.
    vim.ui.select = function(options, _, chosen)
      for _, option in ipairs(options) do
        if option.lens.command.command == name then
          chosen(option)
          return
        end
      end
    end
    vim.fn.cursor(lens.range.start.line + 1, 1)
    vim.lsp.codelens.run()
    wait("what " .. name .. " shows", function()
      return vim.api.nvim_get_current_buf() ~= file
    end)
    seen.lenses[name] = vim.bo.filetype == "qf" and vim.fn.getqflist({ title = 0, size = 0 })
      or vim.fn.fnamemodify(vim.api.nvim_buf_get_name(0), ":t")
    vim.cmd("close")
    vim.api.nvim_set_current_buf(file)
    vim.cmd("only")
  end
  seen.messages = messages

  -- An egg with unsaved changes is renamed: its folder moves, its buffer follows, and what was not saved still is not.
  vim.cmd("silent write")
  local saved = vim.fn.readfile(nest .. "/Eggs/site/config.fly")
  vim.api.nvim_buf_set_lines(0, 0, 0, false, { "# not saved yet" })
  cursor('"site"')
  vim.fn.cursor(vim.fn.line("."), vim.fn.col(".") + 1)
  -- Neovim 0.7 asks what can be renamed without having sent what has just been typed; other requests send it.
  local known
  vim.lsp.buf_request(file, "textDocument/documentSymbol", { textDocument = { uri = vim.uri_from_bufnr(file) } }, function()
    known = true
  end)
  wait("the server to know the text", function()
    return known
  end)
  local at, changes = vim.api.nvim_win_get_cursor(0), vim.fn.undotree().seq_cur
  told = {}
  vim.lsp.buf.rename("shop")
  wait("the folder to move again", function()
    return vim.api.nvim_buf_get_name(0) == nest .. "/Eggs/shop/config.fly" and #told > 0 and fly.client() ~= nil
  end)
  local moved = nest .. "/Eggs/shop/config.fly"
  seen.unsaved = {
    told = told,
    text = text(),
    modified = vim.bo.modified,
    untouched = vim.deep_equal(vim.fn.readfile(moved), saved),
    left = vim.loop.fs_stat(nest .. "/Eggs/site") ~= nil,
    cursor = vim.deep_equal(vim.api.nvim_win_get_cursor(0), at),
    colours = vim.bo.syntax,
    -- Nothing stays behind under the old name.
    buffers = #vim.tbl_filter(function(bufnr)
      return vim.api.nvim_buf_get_name(bufnr):find("/Eggs/site", 1, true) ~= nil
    end, vim.api.nvim_list_bufs()),
  }
  -- `:write` needs no `!`, and undo leads back to what was before.
  vim.cmd("silent write")
  seen.unsaved.written = table.concat(vim.fn.readfile(moved), "\n") .. "\n"
  vim.cmd("silent undo " .. changes - 1)
  seen.unsaved.undone = vim.deep_equal(vim.api.nvim_buf_get_lines(0, 0, -1, false), saved)

  -- A page is explained where there is no Nest as well, and its window leaves nothing behind.
  vim.cmd("silent write | new")
  local windows, buffers = #vim.api.nvim_list_wins(), #vim.api.nvim_list_bufs()
  vim.cmd("FlyExplain unclosed")
  wait("an explanation elsewhere", function()
    return vim.bo.filetype == "markdown"
  end)
  seen.elsewhere_explained = text()
  vim.api.nvim_feedkeys("q", "x", false)
  seen.left_behind = { #vim.api.nvim_list_wins() - windows, #vim.api.nvim_list_bufs() - buffers }
  vim.cmd("close")

  -- Settings that are none are refused.
  local settings = { { cmd = 1 }, { cmd = {} }, { command = "fly-lsp" }, { on_attach = "gd" } }
  seen.settings = vim.tbl_map(function(given)
    return (pcall(fly.setup, given))
  end, settings)
  fly.setup({ cmd = "fly-lsp" })
  seen.cmd = fly.cmd()

  -- What the shapes of a file are coloured and indented by, where no parser is installed.
  vim.cmd("syntax on | edit! " .. nest .. "/UF/config.fly")
  seen.colours = {}
  for _, word in ipairs({ "uglyfox", "eggs_entities", '"shop"', "2" }) do
    cursor(word)
    table.insert(seen.colours, vim.fn.synIDattr(vim.fn.synID(vim.fn.line("."), vim.fn.col("."), 1), "name"))
  end
  seen.indents = {}
  for line = 1, vim.fn.line("$") do
    if vim.fn.getline(line) ~= "" then
      seen.indents[line] = require("fly.indent").of(line) == vim.fn.indent(line)
    else
      seen.indents[line] = true
    end
  end
  -- The server that is missing is told of once, whatever is opened.
  told = {}
  vim.lsp.stop_client(fly.clients(), true)
  fly.setup({ cmd = "no-such-server" })
  for _, path in ipairs({ "/UF/config.fly", "/Eggs/docs/config.fly", "/UF/config.fly" }) do
    vim.cmd("silent edit! " .. nest .. path)
  end
  seen.missing = vim.tbl_filter(function(message)
    return message:find("no-such-server", 1, true) ~= nil
  end, told)
  fly.setup({ cmd = "fly-lsp" })
  vim.cmd("silent edit!")
  wait("a server again", function()
    return fly.client() ~= nil
  end)
end

local function finish()
  vim.fn.writefile({ vim.fn.json_encode(seen) }, result)
  vim.cmd("qall!")
end

-- Each step and what has to hold before it.
local steps = {
  {
    drive,
    function()
      return true
    end,
  },
  {
    offered,
    function()
      return #items() > 0
    end,
  },
  {
    rest,
    function()
      return vim.api.nvim_get_mode().mode == "n"
    end,
  },
}

local at, turns, busy = 1, 0, false
local timer = vim.loop.new_timer()
timer:start(
  0,
  20,
  vim.schedule_wrap(function()
    local now = steps[at]
    if not now or busy then
      return
    end
    turns = turns + 1
    if not now[2]() then
      if turns > 1500 then
        at = #steps + 1
        seen.problem = "nothing came of step; mode " .. vim.api.nvim_get_mode().mode
        finish()
      end
      return
    end
    at, turns, busy = at + 1, 0, true
    -- While a step waits, the clock goes on.
    local done, problem = xpcall(now[1], debug.traceback)
    busy = false
    if not done then
      at = #steps + 1
      seen.problem = problem
      finish()
    elseif not steps[at] then
      local health, trouble = pcall(vim.cmd, "checkhealth fly")
      seen.health = health and text() or trouble
      finish()
    end
  end)
)
