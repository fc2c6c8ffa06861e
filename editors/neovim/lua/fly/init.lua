-- Fly in Neovim: starts the language server, carries out renames that move folders, and the commands.

local M = {}

-- What can be set before the first Fly file is opened, with `require("fly").setup({ … })`.
local settings = {
  cmd = { "fly-lsp" },
  on_attach = nil,
}

-- What marks the root of a Nest.
M.markers = { "nest.fly", "Eggs", "Jobs", "UF", "MG" }

local function is_command(cmd)
  if type(cmd) == "string" then
    return cmd ~= ""
  end
  if type(cmd) ~= "table" or #cmd == 0 then
    return false
  end
  for _, word in ipairs(cmd) do
    if type(word) ~= "string" then
      return false
    end
  end
  return true
end

-- Fails with what is wrong when a setting is none, or no such value.
local function validate(given)
  local checks = {
    cmd = {
      function(cmd)
        return cmd == nil or is_command(cmd)
      end,
      'the name of a program, or a list such as { "flyc", "lsp" }',
    },
    on_attach = {
      function(run)
        return run == nil or type(run) == "function"
      end,
      "a function of the client and the buffer",
    },
  }
  for name in pairs(given) do
    if not checks[name] then
      error(("fly.setup: there is no setting `%s`; there are `cmd` and `on_attach`"):format(name), 3)
    end
  end
  for name, check in pairs(checks) do
    if vim.fn.has("nvim-0.11") == 1 then
      vim.validate(name, given[name], check[1], check[2])
    else
      vim.validate({ [name] = { given[name], check[1], check[2] } })
    end
  end
end

function M.setup(given)
  given = given or {}
  if type(given) ~= "table" then
    error("fly.setup: the settings are a table, as `:help fly-configuration` has them", 2)
  end
  validate(given)
  settings = vim.tbl_extend("force", settings, given)
  if type(settings.cmd) == "string" then
    settings.cmd = { settings.cmd }
  end
  if vim.lsp.config and vim.lsp.enable then
    vim.lsp.config("fly_lsp", { cmd = settings.cmd })
  end
end

local function exists(path)
  return vim.loop.fs_stat(path) ~= nil
end

-- The root of the Nest that a file is in: the nearest folder above it with one of the markers.
function M.root(path)
  local folder = vim.fn.fnamemodify(path, ":p:h")
  while folder ~= "" do
    for _, marker in ipairs(M.markers) do
      if exists(folder .. "/" .. marker) then
        return folder
      end
    end
    local above = vim.fn.fnamemodify(folder, ":h")
    if above == folder then
      return nil
    end
    folder = above
  end
end

local function tell(message, level)
  vim.notify("Fly: " .. message, level or vim.log.levels.INFO)
end
M.tell = tell

-- The servers that run, one a Nest.
function M.clients()
  local get = vim.lsp.get_clients or vim.lsp.get_active_clients
  return vim.tbl_filter(function(client)
    return client.name == "fly_lsp"
  end, get())
end

-- The client that serves a buffer.
function M.client(bufnr)
  bufnr = bufnr or vim.api.nvim_get_current_buf()
  for _, client in ipairs(M.clients()) do
    if vim.lsp.buf_is_attached(bufnr, client.id) then
      return client
    end
  end
end

local function on_rename(problem, edit, context)
  if problem then
    tell(problem.message, vim.log.levels.ERROR)
    return
  end
  if not edit then
    tell("nothing with a name stands here", vim.log.levels.WARN)
    return
  end
  local client = vim.lsp.get_client_by_id(context.client_id)
  require("fly.rename").apply(edit, client and client.offset_encoding or "utf-16")
end

-- What a lens or an action of the server runs here: the arguments are the server's.
local commands = {
  ["fly.explain"] = function(command)
    M.explain(command.arguments[1])
  end,
  ["fly.generated"] = function(command)
    M.generated(command.arguments[1])
  end,
  ["fly.simulate"] = function(command)
    M.simulate(command.arguments[1])
  end,
  ["fly.references"] = function(command, context)
    M.references(command.arguments[3], context and context.client_id, command.title)
  end,
  -- A lens that only says something.
  [""] = function() end,
}

local function capabilities()
  local all = vim.lsp.protocol.make_client_capabilities()
  all.workspace.workspaceEdit = { documentChanges = true, resourceOperations = { "rename" } }
  -- What is shown here, so that the server does not put it into a message as well.
  local shown = vim.tbl_filter(function(name)
    return name ~= ""
  end, vim.tbl_keys(commands))
  table.sort(shown)
  all.experimental = vim.tbl_extend("force", all.experimental or {}, { commands = { commands = shown } })
  return all
end

-- The configuration of the server, as Neovim 0.11 and later reads it.
function M.config()
  return {
    cmd = settings.cmd,
    filetypes = { "fly" },
    root_dir = function(bufnr, found)
      local root = M.root(vim.api.nvim_buf_get_name(bufnr))
      if root then
        found(root)
      end
    end,
    capabilities = capabilities(),
    handlers = { ["textDocument/rename"] = on_rename },
    commands = commands,
    on_attach = settings.on_attach,
  }
end

local function attached(client, bufnr)
  vim.bo[bufnr].omnifunc = "v:lua.vim.lsp.omnifunc"
  if settings.on_attach then
    settings.on_attach(client, bufnr)
  end
end

-- One server a Nest: the ids of the clients by root.
local running = {}

-- The command that starts the server; 0.11 lets a function do that as well.
function M.cmd()
  if vim.lsp.config and vim.lsp.enable then
    return (vim.lsp.config.fly_lsp or {}).cmd or settings.cmd
  end
  return settings.cmd
end

local warned = false

-- Whether the server can be started. That it can't is told once.
local function startable()
  local cmd = M.cmd()
  if type(cmd) ~= "table" or vim.fn.executable(cmd[1]) == 1 then
    return true
  end
  if not warned then
    warned = true
    tell(("`%s` is not on PATH, so nothing is checked; see `:checkhealth fly`"):format(cmd[1]), vim.log.levels.WARN)
  end
  return false
end

-- Starts the server for a buffer. From 0.11 on Neovim does that by itself, and says nothing when there is no program.
function M.attach(bufnr)
  local root = M.root(vim.api.nvim_buf_get_name(bufnr))
  local itself = vim.lsp.config and vim.lsp.enable
  if not root or (itself and vim.lsp.is_enabled and not vim.lsp.is_enabled("fly_lsp")) then
    return
  end
  if not startable() or itself then
    return
  end
  if not (running[root] and vim.lsp.get_client_by_id(running[root])) then
    running[root] = vim.lsp.start_client({
      name = "fly_lsp",
      cmd = settings.cmd,
      root_dir = root,
      workspace_folders = { { uri = vim.uri_from_fname(root), name = vim.fn.fnamemodify(root, ":t") } },
      capabilities = capabilities(),
      handlers = { ["textDocument/rename"] = on_rename },
      commands = commands,
      on_attach = attached,
      on_exit = function(_, _, id)
        if running[root] == id then
          running[root] = nil
        end
      end,
    })
  end
  if running[root] then
    vim.lsp.buf_attach_client(bufnr, running[root])
  end
end

-- Leaves a window of ours; the last one shows what it did before.
local function leave()
  if not pcall(vim.cmd, "close") then
    pcall(vim.cmd, "buffer #")
  end
end

-- A text that is nobody's file, in a buffer of its own; `hidden` is what becomes of it when no window shows it.
local function scratch(name, text, filetype, hidden)
  local bufnr = vim.fn.bufadd("fly://" .. name)
  vim.bo[bufnr].buftype = "nofile"
  vim.fn.bufload(bufnr)
  vim.bo[bufnr].buftype = "nofile"
  vim.bo[bufnr].bufhidden = hidden
  vim.bo[bufnr].swapfile = false
  vim.bo[bufnr].modifiable = true
  vim.api.nvim_buf_set_lines(bufnr, 0, -1, false, vim.split(text, "\n", { plain = true }))
  vim.bo[bufnr].modified = false
  vim.bo[bufnr].filetype = filetype
  vim.bo[bufnr].modifiable = false
  vim.keymap.set("n", "q", leave, { buffer = bufnr, nowait = true, desc = "Close what Fly shows" })
  return bufnr
end

-- Shows a buffer: in the window that it has, else in a new one.
local function open(bufnr)
  local window = vim.fn.bufwinid(bufnr)
  if window ~= -1 then
    vim.api.nvim_set_current_win(window)
  else
    vim.cmd("sbuffer " .. bufnr)
  end
end

-- Shows a text in a window of its own, which `q` closes.
local function show(name, text, filetype)
  open(scratch(name, text, filetype, "wipe"))
end

-- What the generated files are, by how their names end.
local filetypes = { tf = "terraform", rc = "hcl", yaml = "yaml", yml = "yaml", json = "json", md = "markdown", sh = "sh" }

-- Asks a server to carry out one of its commands.
local function ask(client, command, arguments, answer)
  local function answered(problem, result)
    if problem then
      tell(problem.message, vim.log.levels.ERROR)
    elseif not result or result == vim.NIL then
      tell("there is nothing to show for this file")
    else
      answer(result)
    end
  end
  local params, bufnr = { command = command, arguments = arguments }, vim.api.nvim_get_current_buf()
  if vim.fn.has("nvim-0.11") == 1 then
    client:request("workspace/executeCommand", params, answered, bufnr)
  else
    client.request("workspace/executeCommand", params, answered, bufnr)
  end
end

-- The same of the server of this file.
local function ask_here(command, arguments, answer)
  local client = M.client()
  if client then
    ask(client, command, arguments, answer)
  elseif vim.bo.filetype ~= "fly" then
    tell("this is no Fly file; the command is for one", vim.log.levels.WARN)
  else
    tell("no language server serves this file; see `:checkhealth fly`", vim.log.levels.WARN)
  end
end

-- The kind of a diagnostic of Fly; none of another source's.
local function kind(found)
  if found.source ~= "fly" then
    return nil
  end
  return found.code or (found.user_data and found.user_data.lsp and found.user_data.lsp.code)
end

-- The kinds of diagnostics that there are now in any buffer, for completion.
function M.kinds(lead)
  local seen = {}
  for _, found in ipairs(vim.diagnostic.get()) do
    local id = kind(found)
    if id and vim.startswith(id, lead or "") then
      seen[id] = true
    end
  end
  local ids = vim.tbl_keys(seen)
  table.sort(ids)
  return ids
end

local function uri()
  return vim.uri_from_bufnr(0)
end

-- Explains a kind of diagnostic: the one at the cursor, or the one of this name. Any server can: it needs no Nest.
function M.explain(id)
  if not id then
    local line = vim.api.nvim_win_get_cursor(0)[1] - 1
    for _, found in ipairs(vim.diagnostic.get(0, { lnum = line })) do
      id = id or kind(found)
    end
  end
  if not id then
    tell("no diagnostic of Fly stands on this line; name one, as in `:FlyExplain type-mismatch`", vim.log.levels.WARN)
    return
  end
  local client = M.client() or M.clients()[1]
  if not client then
    tell(("no language server runs that could explain `%s`; open a Fly file of a Nest first"):format(id), vim.log.levels.WARN)
    return
  end
  ask(client, "fly.explain", { id }, function(result)
    show("explain/" .. id, result.markdown, "markdown")
  end)
end

-- Shows what is generated from a file: this one, when none is named.
function M.generated(file)
  ask_here("fly.generated", { file or uri() }, function(result)
    if #result.files == 0 then
      tell("nothing is generated from this file")
      return
    end
    -- One window; the location list leads through the files.
    local files = {}
    for _, file in ipairs(result.files) do
      local bufnr = scratch("generated/" .. file.path, file.text, filetypes[file.path:match("%.(%w+)$")] or "", "hide")
      table.insert(files, { bufnr = bufnr, lnum = 1, text = file.path })
    end
    open(files[1].bufnr)
    vim.fn.setloclist(0, files)
    tell(("%d files; `:lnext` and `:lopen` lead to the others"):format(#files))
  end)
end

-- Shows what a file would deploy: this one, when none is named.
function M.simulate(file)
  ask_here("fly.simulate", { file or uri() }, function(result)
    show("simulate", result.markdown, "markdown")
  end)
end

-- Shows places in the quickfix list.
function M.references(locations, client_id, title)
  local client = client_id and vim.lsp.get_client_by_id(client_id) or M.client()
  local encoding = client and client.offset_encoding or "utf-16"
  local items = vim.lsp.util.locations_to_items(locations or {}, encoding)
  if #items == 0 then
    tell("nothing refers to this")
    return
  end
  vim.fn.setqflist({}, " ", { title = title or "Fly: references", items = items })
  vim.cmd("botright copen")
end

return M
