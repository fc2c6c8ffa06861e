;;; fly-mode.el --- Fly, the language of Polar Gosling  -*- lexical-binding: t; -*-

;; Version: 0.1.0
;; Package-Requires: ((emacs "27.1"))
;; Keywords: languages, tools
;; URL: https://polar-gosling.gitlab.io
;; SPDX-License-Identifier: Apache-2.0

;;; Commentary:

;; `fly-mode' colours, indents and comments Fly; `fly-ts-mode' does so by tree-sitter, in Emacs 29 and later, where the
;; grammar `fly' is installed.  Files that end in .fly get one of them.  The language server, fly-lsp, is known to
;; eglot and to lsp-mode:
;;
;;   (add-hook 'fly-mode-hook #'eglot-ensure)    ; or #'lsp-deferred
;;
;; `fly-explain', `fly-generated' and `fly-simulate' ask it for more.

;;; Code:

(require 'project)

(defvar eglot-server-programs)
(defvar eglot-workspace-configuration)
(defvar lsp-language-id-configuration)
(defvar treesit-language-source-alist)
(declare-function eglot-current-server "ext:eglot")
(declare-function eglot--project "ext:eglot")
(declare-function flymake-diagnostics "flymake")
(declare-function flymake-diagnostic-text "flymake")
(declare-function jsonrpc-request "ext:jsonrpc")
(declare-function lsp-register-client "ext:lsp-mode")
(declare-function lsp-request "ext:lsp-mode")
(declare-function lsp-stdio-connection "ext:lsp-mode")
(declare-function lsp-activate-on "ext:lsp-mode")
(declare-function make-lsp-client "ext:lsp-mode")
(declare-function treesit-available-p "ext:treesit.c")
(declare-function treesit-font-lock-rules "ext:treesit")
(declare-function treesit-language-available-p "ext:treesit.c")
(declare-function treesit-major-mode-setup "ext:treesit")
(declare-function treesit-node-child-by-field-name "ext:treesit.c")
(declare-function treesit-node-text "ext:treesit")
(declare-function treesit-parser-create "ext:treesit.c")
(declare-function treesit-ready-p "ext:treesit")

(defgroup fly nil
  "Fly, the language of Polar Gosling."
  :group 'languages
  :prefix "fly-")

(defcustom fly-indent-offset 2
  "How many spaces a block's inside stands further right."
  :type 'natnum
  :safe #'natnump)

(defcustom fly-server-command '("fly-lsp")
  "How the language server is started; (\"flyc\" \"lsp\") does as well."
  :type '(repeat string))

(defcustom fly-settings nil
  "Settings of the language server, as a property list.
For example (:logLevel \"info\" :inlayHints (:runs :json-false))."
  :type '(plist :key-type symbol :value-type sexp))

;;;; What a Nest is

(defconst fly-root-markers '("nest.fly" "Eggs" "Jobs" "UF" "MG")
  "What marks the root of a Nest.")

(defun fly-root (directory)
  "The root of the Nest that DIRECTORY is in, or nil."
  (locate-dominating-file
   directory
   (lambda (above)
     (seq-some (lambda (marker) (file-exists-p (expand-file-name marker above))) fly-root-markers))))

(defun fly-project (directory)
  "The Nest around DIRECTORY as a project, so that eglot serves it as one.
Only where a Fly file is shown: elsewhere other projects count."
  (when (derived-mode-p 'fly-mode 'fly-ts-mode)
    (let ((root (fly-root directory)))
      (when root (cons 'fly root)))))

(cl-defmethod project-root ((project (head fly)))
  "The root of the Nest PROJECT."
  (cdr project))

(add-hook 'project-find-functions #'fly-project)

;;;; What both modes share

(defvar fly-mode-syntax-table
  (let ((table (make-syntax-table)))
    (modify-syntax-entry ?# "< b" table)
    (modify-syntax-entry ?/ ". 124b" table)
    (modify-syntax-entry ?* ". 23" table)
    (modify-syntax-entry ?\n "> b" table)
    (modify-syntax-entry ?\" "\"" table)
    (modify-syntax-entry ?\\ "\\" table)
    (modify-syntax-entry ?_ "_" table)
    (modify-syntax-entry ?- "_" table)
    (modify-syntax-entry ?' "." table)
    (modify-syntax-entry ?{ "(}" table)
    (modify-syntax-entry ?} "){" table)
    (modify-syntax-entry ?\[ "(]" table)
    (modify-syntax-entry ?\] ")[" table)
    (modify-syntax-entry ?\( "()" table)
    (modify-syntax-entry ?\) ")(" table)
    table)
  "What the characters of Fly mean.")

(defvar fly-mode-map
  (let ((map (make-sparse-keymap)))
    (define-key map (kbd "C-c C-e") #'fly-explain)
    (define-key map (kbd "C-c C-g") #'fly-generated)
    (define-key map (kbd "C-c C-s") #'fly-simulate)
    map)
  "Keys where Fly is edited.")

(defun fly--common ()
  "Set what both modes share."
  (setq-local comment-start "# ")
  (setq-local comment-end "")
  (setq-local comment-start-skip "\\(?:#+\\|//+\\|/\\*+\\)[ \t]*")
  (setq-local indent-tabs-mode nil)
  (setq-local tab-width fly-indent-offset)
  (setq-local electric-indent-chars (append "}])" electric-indent-chars))
  (setq-local compile-command "flyc check --output-format concise"))

;;;; Without tree-sitter

(defconst fly--root-blocks
  '(
    ;; words: root blocks
    "assert" "egg" "eggsbucket" "job" "locals" "mothergoose" "nest" "profile" "rift" "test" "uglyfox"
    "variable"
    ;; end
    )
  "Blocks that a file begins with.")

(defconst fly--keywords
  '(
    ;; words: keywords
    "aws" "egg" "error" "job" "local" "nest" "serverless" "vm" "warning" "yandex"
    ;; end
    )
  "Words that stand for themselves.")

(defconst fly--functions
  '("file" "secret"
    ;; words: functions
    "abs" "base64encode" "ceil" "coalesce" "concat" "contains" "distinct" "endswith" "floor" "format"
    "join" "jsonencode" "keys" "length" "lower" "max" "merge" "min" "replace" "slice" "sort" "split"
    "startswith" "trim" "upper" "values"
    ;; end
    )
  "Functions.")

(defconst fly--types
  '(
    ;; words: types
    "any" "bool" "cron" "duration" "email" "float" "fqdn" "image" "int" "name" "percent" "secret" "size"
    "string" "timezone" "url"
    ;; end
    )
  "Types of variables.")

(defvar fly-font-lock-keywords
  `((,(concat "^" (regexp-opt fly--root-blocks 'symbols) "[^=\n]*{") 1 font-lock-keyword-face)
    ("^[ \t]*\\([[:alpha:]_][[:alnum:]_]*\\)[ \t]*\\(?:\"[^\"\n]*\"[ \t]*\\)*{" 1 font-lock-type-face)
    ("\\_<\\([[:alpha:]_][[:alnum:]_]*\\)[ \t]*=[^=]" 1 font-lock-variable-name-face)
    (,(concat (regexp-opt fly--functions 'symbols) "(") 1 font-lock-builtin-face)
    (,(concat "=[ \t]*" (regexp-opt fly--keywords 'symbols)) 1 font-lock-constant-face)
    (,(concat "\\_<type[ \t]*=[ \t]*\\(?:list<\\|map<\\)*" (regexp-opt fly--types 'symbols)) 1 font-lock-type-face)
    ("\\_<\\(true\\|false\\)\\_>" 1 font-lock-constant-face)
    ("\\_<[0-9]+\\(?:\\.[0-9]+\\)?\\(?:%\\|[[:alpha:]]+\\)?" . font-lock-constant-face)
    ("\\${\\([^}\n]*\\)}" 1 font-lock-variable-name-face t))
  "Colours of Fly.")

(defconst fly--heredoc "<<[-~]?\\([[:alpha:]_][[:alnum:]_]*\\)[ \t]*\n"
  "Where a text of several lines begins.")

(defun fly--syntax-propertize (start end)
  "Make texts of several lines between START and END strings."
  (goto-char start)
  (let ((inside (nth 8 (syntax-ppss))))
    ;; A text that began before START is taken from its beginning.
    (when (and inside (eq (char-after inside) ?<))
      (goto-char inside)))
  (while (re-search-forward fly--heredoc end t)
    (let ((opened (match-beginning 0)) (marker (match-string 1)) (text (match-end 0)))
      (unless (save-excursion (nth 8 (save-match-data (syntax-ppss opened))))
        (put-text-property opened (1+ opened) 'syntax-table (string-to-syntax "|"))
        (goto-char text)
        (when (re-search-forward (concat "^[ \t]*" (regexp-quote marker) "[ \t]*$") nil t)
          (put-text-property (1- (point)) (point) 'syntax-table (string-to-syntax "|"))
          (put-text-property opened (point) 'syntax-multiline t))))))

(defun fly-indent-line ()
  "Indent the line by the brackets it is within."
  (interactive)
  (let* ((state (save-excursion (syntax-ppss (line-beginning-position))))
         (target
          (cond
           ;; A text keeps its spaces.
           ((nth 3 state) 'noindent)
           ((nth 4 state) 'noindent)
           ((nth 1 state)
            (save-excursion
              (back-to-indentation)
              (let ((closes (looking-at-p "[]})]")))
                (goto-char (nth 1 state))
                (+ (current-indentation) (if closes 0 fly-indent-offset)))))
           (t 0))))
    (if (eq target 'noindent)
        'noindent
      (if (<= (current-column) (current-indentation))
          (indent-line-to target)
        (save-excursion (indent-line-to target))))))

(defvar fly-imenu-expression
  '((nil "^[ \t]*\\([[:alpha:]_]+[ \t]+\"[^\"\n]+\"\\)[^=\n]*{" 1)
    (nil "^\\([[:alpha:]_]+\\)[ \t]*{" 1))
  "The outline of a file.")

;;;###autoload
(define-derived-mode fly-mode prog-mode "Fly"
  "Major mode for Fly, the language of Polar Gosling."
  :syntax-table fly-mode-syntax-table
  (fly--common)
  (setq-local font-lock-defaults '(fly-font-lock-keywords))
  (setq-local syntax-propertize-function #'fly--syntax-propertize)
  (setq-local indent-line-function #'fly-indent-line)
  (setq-local imenu-generic-expression fly-imenu-expression))

;;;; With tree-sitter

(defvar fly-ts--colours
  '(:language fly :feature comment ([(comment) (doc_comment)] @font-lock-comment-face)
    :language fly :feature string
    ([(string) (heredoc_body) (unclosed_string) (unclosed_heredoc)] @font-lock-string-face)
    :language fly :feature escape :override t
    ((escape_sequence) @font-lock-escape-face
     (unknown_escape) @font-lock-warning-face)
    :language fly :feature block :override t
    ((source_file (block type: (identifier) @font-lock-keyword-face))
     (body (block type: (identifier) @font-lock-type-face)))
    :language fly :feature attribute
    ((attribute name: (identifier) @font-lock-property-name-face)
     (entry key: (identifier) @font-lock-property-name-face))
    :language fly :feature literal
    ((number) @font-lock-number-face
     (boolean) @font-lock-constant-face
     (attribute value: (identifier) @font-lock-constant-face))
    :language fly :feature call
    ((call_expression function: (identifier) @font-lock-function-call-face))
    :language fly :feature reference
    ((field_expression object: (identifier) @font-lock-variable-use-face)
     (field_expression field: (identifier) @font-lock-property-use-face))
    :language fly :feature interpolation :override t
    ((interpolation ["${" "}"] @font-lock-misc-punctuation-face))
    :language fly :feature bracket
    ((["{" "}" "[" "]" "(" ")"]) @font-lock-bracket-face))
  "Colours of Fly, for `treesit-font-lock-rules'.")

(defvar fly-ts--indentation
  '((fly
     ((node-is "}") parent-bol 0)
     ((node-is "]") parent-bol 0)
     ((node-is ")") parent-bol 0)
     ((parent-is "heredoc") no-indent)
     ((parent-is "source_file") column-0 0)
     ((parent-is "body") parent-bol fly-indent-offset)
     ((parent-is "list") parent-bol fly-indent-offset)
     ((parent-is "map") parent-bol fly-indent-offset)
     ((parent-is "arguments") parent-bol fly-indent-offset)
     ((parent-is "parenthesized_expression") parent-bol fly-indent-offset)
     (no-node parent-bol 0)))
  "Indentation of Fly, for `treesit-simple-indent-rules'.")

(defun fly-ts--name (node)
  "What the block NODE is called in an outline."
  (let ((type (treesit-node-child-by-field-name node "type"))
        (label (treesit-node-child-by-field-name node "label")))
    (concat (treesit-node-text type t)
            (when label (concat " " (treesit-node-text label t))))))

;;;###autoload
(define-derived-mode fly-ts-mode prog-mode "Fly"
  "Major mode for Fly, the language of Polar Gosling, by tree-sitter."
  :syntax-table fly-mode-syntax-table
  (fly--common)
  (use-local-map (let ((map (make-sparse-keymap))) (set-keymap-parent map fly-mode-map) map))
  (when (treesit-ready-p 'fly)
    (treesit-parser-create 'fly)
    (setq-local treesit-font-lock-settings (apply #'treesit-font-lock-rules fly-ts--colours))
    (setq-local treesit-font-lock-feature-list
                '((comment string)
                  (block literal)
                  (attribute call reference escape interpolation)
                  (bracket)))
    (setq-local treesit-simple-indent-rules fly-ts--indentation)
    (setq-local treesit-simple-imenu-settings '((nil "\\`block\\'" nil fly-ts--name)))
    (treesit-major-mode-setup)))

;;;###autoload
(defun fly-auto-mode ()
  "The mode for a Fly file: by tree-sitter where its grammar is, else without."
  (interactive)
  (if (and (fboundp 'treesit-available-p) (treesit-available-p) (treesit-language-available-p 'fly))
      (fly-ts-mode)
    (fly-mode)))

;;;###autoload
(add-to-list 'auto-mode-alist '("\\.fly\\'" . fly-auto-mode))

;;;; The language server

(defun fly-eglot-configuration (server)
  "What eglot's SERVER is told of its settings, when it serves a Nest."
  (when (eq (car-safe (eglot--project server)) 'fly)
    (list :fly fly-settings)))

(with-eval-after-load 'eglot
  (add-to-list 'eglot-server-programs
               (cons '(fly-mode fly-ts-mode) (lambda (&rest _) fly-server-command)))
  ;; Somebody who has a configuration of their own writes :fly into it.
  (unless (default-value 'eglot-workspace-configuration)
    (setq-default eglot-workspace-configuration #'fly-eglot-configuration)))

(defun fly--lsp-configuration (_workspace params)
  "What lsp-mode answers to the server that asks with PARAMS for its settings."
  (make-vector (length (fly--get params "items")) fly-settings))

(with-eval-after-load 'lsp-mode
  (add-to-list 'lsp-language-id-configuration '(fly-mode . "fly"))
  (add-to-list 'lsp-language-id-configuration '(fly-ts-mode . "fly"))
  (lsp-register-client
   (make-lsp-client
    :new-connection (lsp-stdio-connection (lambda () fly-server-command))
    :activation-fn (lsp-activate-on "fly")
    ;; What is behind a lens.
    :initialization-options '(:commands ["fly.generated" "fly.simulate"])
    :action-handlers (let ((handlers (make-hash-table :test 'equal)))
                       (puthash "fly.generated" (lambda (_) (fly-generated)) handlers)
                       (puthash "fly.simulate" (lambda (_) (fly-simulate)) handlers)
                       handlers)
    :request-handlers (let ((handlers (make-hash-table :test 'equal)))
                        (puthash "workspace/configuration" #'fly--lsp-configuration handlers)
                        handlers)
    :server-id 'fly-lsp)))

(defun fly--ask (command &rest arguments)
  "Have the language server carry out COMMAND with ARGUMENTS.
Its answer is a property list or a hash table."
  (let ((params (list :command command :arguments (vconcat arguments))))
    (cond
     ((and (fboundp 'eglot-current-server) (eglot-current-server))
      (jsonrpc-request (eglot-current-server) :workspace/executeCommand params))
     ((bound-and-true-p lsp-mode)
      (lsp-request "workspace/executeCommand" params))
     (t (user-error "No language server serves this file; M-x eglot starts one")))))

(defun fly--get (answer key)
  "The value of KEY in ANSWER, which is a property list or a hash table."
  (if (hash-table-p answer)
      (gethash key answer)
    (plist-get answer (intern (concat ":" key)))))

(defun fly--show (name text)
  "Show TEXT in a buffer called NAME, which q closes."
  (with-current-buffer (get-buffer-create (format "*fly: %s*" name))
    (let ((inhibit-read-only t))
      (erase-buffer)
      (insert text)
      (goto-char (point-min)))
    (special-mode)
    (display-buffer (current-buffer))
    (current-buffer)))

(defun fly--uri ()
  "The URI of this file."
  (concat "file://" (url-encode-url (or buffer-file-name (user-error "This buffer shows no file")))))

(defun fly--code-here ()
  "The kind of a diagnostic on this line, as flymake shows it."
  (seq-some
   (lambda (found)
     (let ((text (flymake-diagnostic-text found)))
       (when (string-match "\\[\\([a-z][a-z-]+\\)\\]" text) (match-string 1 text))))
   (and (bound-and-true-p flymake-mode)
        (flymake-diagnostics (line-beginning-position) (line-end-position)))))

(defun fly-explain (id)
  "Show the page of the kind of diagnostic ID."
  (interactive
   (list (read-string "Explain: " (fly--code-here))))
  (fly--show id (fly--get (fly--ask "fly.explain" id) "markdown")))

(defun fly-generated ()
  "Show what is built of this file."
  (interactive)
  (let ((files (append (fly--get (fly--ask "fly.generated" (fly--uri)) "files") nil)))
    (if (null files)
        (message "Nothing is built of this file")
      (dolist (file files)
        (fly--show (fly--get file "path") (fly--get file "text"))))))

(defun fly-simulate ()
  "Show what this file would deploy."
  (interactive)
  (fly--show "simulate" (fly--get (fly--ask "fly.simulate" (fly--uri)) "markdown")))

(provide 'fly-mode)
;;; fly-mode.el ends here
