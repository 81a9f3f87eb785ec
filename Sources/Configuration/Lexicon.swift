/// A look at the text before YAML reads it: what YAML allows and this configuration does not.
///
/// Anchors and aliases can make a page of text into gigabytes of values, and comparing such values takes
/// for ever inside the YAML library; so they are refused before it sees them. Tags are refused because
/// they are always a slip here: `!10.0.0.0/8` without quotes is a tag and no value. Complex keys and deep
/// nesting have no use here either.
enum Lexicon {
    static let maximumDepth = 16

    /// Anchors, aliases, tags, complex keys and too deep flow nesting, outside of quotes and comments.
    static func problems(in text: String, file: String) -> [ConfigurationErrors.Problem] {
        var scanner = Scanner(text: Array(text.unicodeScalars), file: file)
        scanner.run()
        return scanner.problems
    }

    private struct Scanner {
        let text: [Unicode.Scalar]
        let file: String
        var problems: [ConfigurationErrors.Problem] = []
        private var index = 0
        private var line = 1
        private var column = 1
        private var depth = 0

        init(text: [Unicode.Scalar], file: String) {
            self.text = text
            self.file = file
        }

        private func peek(_ offset: Int = 0) -> Unicode.Scalar? {
            index + offset < text.count ? text[index + offset] : nil
        }

        private func isBlank(_ scalar: Unicode.Scalar?) -> Bool {
            scalar == nil || scalar == " " || scalar == "\t" || scalar == "\n" || scalar == "\r"
        }

        private mutating func step() {
            if text[index] == "\n" {
                line += 1
                column = 1
            } else {
                column += 1
            }
            index += 1
        }

        private mutating func report(_ message: String) {
            problems.append(.init(file: file, line: line, column: column, path: "", message: message))
        }

        /// `atToken`: the next character that is not blank begins a token.
        mutating func run() {
            var atToken = true
            while let scalar = peek() {
                if scalar == "\n" {
                    atToken = true
                    step()
                } else if scalar == "#", index == 0 || isBlank(text[index - 1]) {
                    while let next = peek(), next != "\n" { step() }
                } else if depth > 0 || atToken, "[]{},".unicodeScalars.contains(scalar) {
                    bracket(scalar)
                    atToken = true
                    step()
                } else if scalar == ":",
                    isBlank(peek(1)) || depth > 0 && "[]{},".contains(Character(peek(1)!))
                {
                    atToken = true
                    step()
                } else if atToken, !isBlank(scalar) {
                    atToken = token(scalar)
                } else {
                    step()
                }
            }
        }

        private mutating func bracket(_ scalar: Unicode.Scalar) {
            if scalar == "[" || scalar == "{" {
                depth += 1
                if depth == Lexicon.maximumDepth + 1 {
                    report("lists are nested deeper than \(Lexicon.maximumDepth); nothing here needs that")
                }
            } else if scalar != "," {
                depth = max(0, depth - 1)
            }
        }

        /// Steps over the beginning of a token, or all of a quoted one; returns whether another token may
        /// begin right behind it.
        private mutating func token(_ scalar: Unicode.Scalar) -> Bool {
            switch scalar {
            case "\"", "'":
                quotedScalar(scalar)
                return false
            case "&", "*":
                report(
                    "\(quoted(word())) is a YAML \(scalar == "&" ? "anchor" : "alias"), which is not read"
                        + " here; write the values out, or put quotes around the text")
            case "!":
                report(
                    "\(quoted(word())) is taken for a YAML tag because it begins with an exclamation"
                        + " mark; put quotes around it")
            case "?" where isBlank(peek(1)):
                report("\"?\" begins a complex key, which is not read here; write key: value")
            case "-" where isBlank(peek(1)):
                step()
                return true
            default: break
            }
            step()
            return false
        }

        private func word() -> String {
            var end = index
            while end < text.count, !isBlank(text[end]), !",]}".unicodeScalars.contains(text[end]) {
                end += 1
            }
            return String(String.UnicodeScalarView(text[index..<end]))
        }

        private mutating func quotedScalar(_ mark: Unicode.Scalar) {
            step()
            while let scalar = peek() {
                if scalar == mark {
                    step()
                    // Two single quotes are one that is meant.
                    guard mark == "'", peek() == "'" else { return }
                } else if scalar == "\\", mark == "\"", peek(1) != nil {
                    step()
                }
                step()
            }
        }
    }
}
