-- Fly in Neovim: starts the language server, carries out renames that move folders, and the commands.

local M = {}

-- What can be set before the first Fly file is opened, with `require("fly").setup({ … })`.
local settings = {
  cmd = { "fly-lsp" },
  on_attach = nil,
}

-- What marks the root of a Nest.
M.markers = { "nest.fly", "Eggs", "Jobs", "UF", "MG" }

function M.setup(given)
  settings = vim.tbl_extend("force", settings, given or {})
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

-- The client that serves a buffer.
function M.client(bufnr)
  bufnr = bufnr or vim.api.nvim_get_current_buf()
  local get = vim.lsp.get_clients or vim.lsp.get_active_clients
  for _, client in ipairs(get()) do
    if client.name == "fly_lsp" and vim.lsp.buf_is_attached(bufnr, client.id) then
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

-- Starts the server for a buffer, in a Neovim that does not do so by itself.
function M.attach(bufnr)
  if vim.lsp.config and vim.lsp.enable then
    return
  end
  local root = M.root(vim.api.nvim_buf_get_name(bufnr))
  if not root then
    return
  end
  if vim.fn.executable(settings.cmd[1]) == 0 then
    tell(("`%s` is not on PATH; see `:checkhealth fly`"):format(settings.cmd[1]), vim.log.levels.WARN)
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
      on_exit = function()
        running[root] = nil
      end,
    })
  end
  if running[root] then
    vim.lsp.buf_attach_client(bufnr, running[root])
  end
end

-- A text that is nobody's file, in a buffer of its own.
local function scratch(name, text, filetype)
  local bufnr = vim.fn.bufadd("fly://" .. name)
  vim.fn.bufload(bufnr)
  vim.bo[bufnr].buftype = "nofile"
  vim.bo[bufnr].swapfile = false
  vim.bo[bufnr].modifiable = true
  vim.api.nvim_buf_set_lines(bufnr, 0, -1, false, vim.split(text, "\n", { plain = true }))
  vim.bo[bufnr].filetype = filetype
  vim.bo[bufnr].modifiable = false
  vim.keymap.set("n", "q", "<cmd>close<cr>", { buffer = bufnr, nowait = true })
  return bufnr
end

-- Shows a text in a window of its own, which `q` closes.
local function show(name, text, filetype)
  local bufnr = scratch(name, text, filetype)
  vim.cmd("new")
  vim.api.nvim_set_current_buf(bufnr)
end

-- Asks the server to carry out one of its commands.
local function ask(command, arguments, answer)
  local client = M.client()
  if not client then
    tell("no language server serves this file; see `:checkhealth fly`", vim.log.levels.WARN)
    return
  end
  local params = { command = command, arguments = arguments }
  local bufnr = vim.api.nvim_get_current_buf()
  vim.lsp.buf_request(bufnr, "workspace/executeCommand", params, function(problem, result)
    if problem then
      tell(problem.message, vim.log.levels.ERROR)
    elseif not result then
      tell("there is nothing to show for this file")
    else
      answer(result)
    end
  end)
end

local function uri()
  return vim.uri_from_bufnr(0)
end

-- Explains a kind of diagnostic: the one at the cursor, or the one of this name.
function M.explain(id)
  if not id then
    local line = vim.api.nvim_win_get_cursor(0)[1] - 1
    for _, found in ipairs(vim.diagnostic.get(0, { lnum = line })) do
      id = id or found.code or (found.user_data and found.user_data.lsp and found.user_data.lsp.code)
    end
  end
  if not id then
    tell("no diagnostic stands on this line; name one, as in `:FlyExplain type-mismatch`", vim.log.levels.WARN)
    return
  end
  ask("fly.explain", { id }, function(result)
    show("explain/" .. id, result.markdown, "markdown")
  end)
end

-- Shows what is generated from a file: this one, when none is named.
function M.generated(file)
  ask("fly.generated", { file or uri() }, function(result)
    if #result.files == 0 then
      tell("nothing is generated from this file")
      return
    end
    -- One window; the location list leads through the files.
    local files = {}
    for _, file in ipairs(result.files) do
      local bufnr = scratch("generated/" .. file.path, file.text, file.path:match("%.tf$") and "terraform" or "")
      table.insert(files, { bufnr = bufnr, lnum = 1, text = file.path })
    end
    vim.cmd("new")
    vim.api.nvim_set_current_buf(files[1].bufnr)
    vim.fn.setloclist(0, files)
    tell(("%d files; `:lnext` and `:lopen` lead to the others"):format(#files))
  end)
end

-- Shows what a file would deploy: this one, when none is named.
function M.simulate(file)
  ask("fly.simulate", { file or uri() }, function(result)
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

-- The command that starts the server.
function M.cmd()
  return settings.cmd
end

return M
