import CXML2

/// An element of an XML text, with what is in it. Names are without their prefixes.
struct XMLElement {
    var name: String
    var attributes: [String: String] = [:]
    /// Without what its children hold.
    var text = ""
    var children: [XMLElement] = []

    /// The first element at the end of a path of names.
    func first(_ path: String...) -> XMLElement? {
        path.reduce(Optional(self)) { element, name in element?.children.first { $0.name == name } }
    }

    func all(_ name: String) -> [XMLElement] { children.filter { $0.name == name } }

    /// The text of the first element at the end of a path, without blanks around it; nil where it is empty.
    func word(_ path: String...) -> String? {
        let element = path.reduce(Optional(self)) { element, name in element?.children.first { $0.name == name } }
        let text = element?.text.trimmed ?? ""
        return text.isEmpty ? nil : text
    }
}

extension XMLElement {
    /// More than libvirt nests, and more elements than a domain of hundreds of devices has.
    private static let maximumDepth = 64
    private static let maximumCount = 50_000

    /// Reads a text. One with a document type is refused: there are no entities to be expanded or fetched.
    static func parse(_ bytes: [UInt8]) throws(InventoryProblem) -> XMLElement {
        // Nothing is loaded from elsewhere, nothing is said to standard error.
        let options = XML_PARSE_NONET.rawValue | XML_PARSE_NOERROR.rawValue | XML_PARSE_NOWARNING.rawValue
        let buffer = UnsafeMutablePointer<CChar>.allocate(capacity: max(1, bytes.count))
        defer { unsafe buffer.deallocate() }
        for (index, byte) in bytes.enumerated() {
            unsafe (buffer + index).initialize(to: CChar(bitPattern: byte))
        }
        guard let reader = unsafe xmlReaderForMemory(buffer, Int32(bytes.count), nil, nil, Int32(options)) else {
            throw InventoryProblem(line: 0, "no memory to read XML")
        }
        defer { unsafe xmlFreeTextReader(reader) }
        return try unsafe tree(reader)
    }

    private static func tree(_ reader: xmlTextReaderPtr) throws(InventoryProblem) -> XMLElement {
        var open: [XMLElement] = []
        var count = 0
        func line() -> Int { unsafe Int(xmlTextReaderGetParserLineNumber(reader)) }
        while true {
            let result = unsafe xmlTextReaderRead(reader)
            guard result == 1 else {
                throw InventoryProblem(line: line(), result == 0 ? "there is no element" : lastError())
            }
            switch unsafe UInt32(bitPattern: xmlTextReaderNodeType(reader)) {
            case XML_READER_TYPE_DOCUMENT_TYPE.rawValue:
                throw InventoryProblem(line: line(), "a document type has no place here")
            case XML_READER_TYPE_ELEMENT.rawValue:
                count += 1
                guard open.count < maximumDepth, count <= maximumCount else {
                    throw InventoryProblem(line: line(), "more elements, or deeper ones, than a domain has")
                }
                let isEmpty = unsafe xmlTextReaderIsEmptyElement(reader) == 1
                let element = unsafe XMLElement(
                    name: string(xmlTextReaderConstLocalName(reader)), attributes: attributes(reader))
                guard isEmpty else {
                    open.append(element)
                    continue
                }
                guard !open.isEmpty else { return element }
                open[open.count - 1].children.append(element)
            case XML_READER_TYPE_TEXT.rawValue, XML_READER_TYPE_CDATA.rawValue:
                if !open.isEmpty { open[open.count - 1].text += unsafe string(xmlTextReaderConstValue(reader)) }
            case XML_READER_TYPE_END_ELEMENT.rawValue:
                guard let element = open.popLast() else { continue }
                guard !open.isEmpty else { return element }
                open[open.count - 1].children.append(element)
            default: continue
            }
        }
    }

    private static func attributes(_ reader: xmlTextReaderPtr) -> [String: String] {
        var attributes: [String: String] = [:]
        while unsafe xmlTextReaderMoveToNextAttribute(reader) == 1 {
            let name = unsafe string(xmlTextReaderConstLocalName(reader))
            attributes[name] = unsafe string(xmlTextReaderConstValue(reader))
        }
        return attributes
    }

    private static func string(_ text: UnsafePointer<xmlChar>?) -> String {
        unsafe text.map { unsafe String(cString: $0) } ?? ""
    }

    private static func lastError() -> String {
        guard let error = unsafe xmlGetLastError(), let message = unsafe error.pointee.message else {
            return "this is not XML"
        }
        return unsafe String(cString: message).trimmed
    }
}
