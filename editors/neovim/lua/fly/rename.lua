-- Renames that move folders: the files, and the buffers that show them.
--
-- What one has not saved is never written: a buffer with unsaved changes moves along with its text, still unsaved.

local fly = require("fly")

local M = {}

local function exists(path)
  return vim.loop.fs_stat(path) ~= nil
end

local function within(path, folder)
  return path == folder or vim.startswith(path, folder .. "/")
end

local function quietly(bufnr, command)
  vim.api.nvim_buf_call(bufnr, function()
    vim.cmd("silent keepalt noautocmd " .. command)
  end)
end

local function lines(bufnr)
  return vim.api.nvim_buf_get_lines(bufnr, 0, -1, false)
end

-- Whether a buffer holds what is in its file.
local function same(bufnr, path)
  local read, text = pcall(vim.fn.readfile, path)
  if not read then
    return false
  end
  if vim.bo[bufnr].fileformat == "dos" then
    text = vim.tbl_map(function(line)
      return (line:gsub("\r$", ""))
    end, text)
  end
  return vim.deep_equal(#text > 0 and text or { "" }, lines(bufnr))
end

-- Puts a file back as the buffer has read it, with no line end that was not there: this only tells Neovim whose it is.
local function own(bufnr, path)
  if same(bufnr, path) then
    local fixed = vim.bo[bufnr].fixendofline
    vim.bo[bufnr].fixendofline = false
    pcall(quietly, bufnr, "write!")
    vim.bo[bufnr].fixendofline = fixed
  end
end

-- The language servers of a buffer.
local function clients(bufnr)
  local found = {}
  local get = vim.lsp.get_clients or vim.lsp.get_active_clients
  for _, client in ipairs(get()) do
    if vim.lsp.buf_is_attached(bufnr, client.id) then
      table.insert(found, client.id)
    end
  end
  return found
end

-- Gives a buffer another name. Neovim leaves an empty buffer with the old one behind, which goes.
local function name(bufnr, path)
  local old = vim.api.nvim_buf_get_name(bufnr)
  vim.api.nvim_buf_call(bufnr, function()
    vim.cmd("silent keepalt noautocmd file " .. vim.fn.fnameescape(path))
  end)
  for _, other in ipairs(vim.api.nvim_list_bufs()) do
    if other ~= bufnr and vim.api.nvim_buf_get_name(other) == old and not vim.api.nvim_buf_is_loaded(other) then
      vim.api.nvim_buf_delete(other, { force = true })
    end
  end
end

-- Neovim takes a renamed buffer for a new file, which `:write` refuses to put over the one that is there. Once the file has
-- been read anew, and put back as it was read, that is over; the text that was not saved comes back by undo.
local function reread(bufnr, path)
  local text, views = lines(bufnr), {}
  for _, window in ipairs(vim.fn.win_findbuf(bufnr)) do
    views[window] = vim.api.nvim_win_call(window, vim.fn.winsaveview)
  end
  local kept, syntax = vim.o.undoreload, vim.bo[bufnr].syntax
  vim.o.undoreload = -1
  if pcall(quietly, bufnr, "edit!") then
    own(bufnr, path)
    pcall(quietly, bufnr, "undo")
  end
  vim.o.undoreload = kept
  if not vim.deep_equal(lines(bufnr), text) then
    vim.api.nvim_buf_set_lines(bufnr, 0, -1, false, text)
  end
  vim.bo[bufnr].modified = true
  -- Reading without the automatic commands drops the colours.
  vim.bo[bufnr].syntax = syntax
  for window, view in pairs(views) do
    vim.api.nvim_win_call(window, function()
      vim.fn.winrestview(view)
    end)
  end
end

-- Before 0.10 Neovim goes on listening to a buffer that no server is attached to until it changes, and listens a second
-- time when a server is attached: both would tell each change, and the server's text be wrong. So it is changed to what it is.
local function settle(bufnr)
  if vim.fn.has("nvim-0.10") == 1 then
    return
  end
  local modified = vim.bo[bufnr].modified
  vim.api.nvim_buf_set_lines(bufnr, 0, 1, false, vim.api.nvim_buf_get_lines(bufnr, 0, 1, false))
  vim.bo[bufnr].modified = modified
end

-- A buffer whose file stands elsewhere now.
local function follow(bufnr, path)
  if not vim.api.nvim_buf_is_loaded(bufnr) then
    name(bufnr, path)
    return
  end
  local served = clients(bufnr)
  -- Before 0.8 Neovim tells of it each time.
  local notify = vim.notify
  vim.notify = function() end
  for _, id in ipairs(served) do
    vim.lsp.buf_detach_client(bufnr, id)
  end
  vim.notify = notify
  if #served > 0 then
    settle(bufnr)
  end
  name(bufnr, path)
  if vim.bo[bufnr].buftype == "" and exists(path) then
    if vim.bo[bufnr].modified then
      reread(bufnr, path)
    else
      if not same(bufnr, path) then
        quietly(bufnr, "edit!")
      end
      own(bufnr, path)
    end
  end
  for _, id in ipairs(served) do
    vim.lsp.buf_attach_client(bufnr, id)
  end
end

-- Moves a file or folder with the buffers that show what is in it.
local function move(from, to)
  if exists(to) then
    fly.tell(("`%s` is there already, so `%s` stays where it is"):format(to, from), vim.log.levels.ERROR)
    return
  end
  vim.fn.mkdir(vim.fn.fnamemodify(to, ":h"), "p")
  local done, problem = vim.loop.fs_rename(from, to)
  if not done then
    fly.tell(("`%s` can't be moved: %s"):format(from, problem), vim.log.levels.ERROR)
    return
  end
  for _, bufnr in ipairs(vim.api.nvim_list_bufs()) do
    local path = vim.api.nvim_buf_get_name(bufnr)
    if path ~= "" and within(path, from) then
      follow(bufnr, to .. path:sub(#from + 1))
    end
  end
end

-- Carries out a rename: the texts first, then what moves. Files without unsaved changes are saved, so that a folder that
-- moves takes them along; the others are left as they are, and it is told how many.
function M.apply(edit, offset_encoding)
  local saved, unsaved = {}, {}
  local function save()
    for bufnr in pairs(saved) do
      quietly(bufnr, "update")
    end
  end
  for _, change in ipairs(edit.documentChanges or {}) do
    if change.kind == "rename" then
      save()
      move(vim.uri_to_fname(change.oldUri), vim.uri_to_fname(change.newUri))
    elseif not change.kind then
      local bufnr = vim.uri_to_bufnr(change.textDocument.uri)
      vim.fn.bufload(bufnr)
      if not saved[bufnr] then
        local list = vim.bo[bufnr].modified and unsaved or saved
        list[bufnr] = true
      end
      vim.lsp.util.apply_text_document_edit(change, nil, offset_encoding)
    end
  end
  save()
  local count = vim.tbl_count(unsaved)
  if count > 0 then
    local what = count == 1 and "a file that had unsaved changes is" or count .. " files that had unsaved changes are"
    fly.tell(what .. " changed but not saved; `:wall` saves everything", vim.log.levels.WARN)
  end
end

return M
