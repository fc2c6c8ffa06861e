-- The server's configuration for Neovim 0.11 and later, which reads it by itself; see `:help fly-configuration`.
return require("fly").config()
