import Glibc

/// The flowbits and flowints of all flows of a table: a bounded pool of list nodes. A bit is a number that
/// is there.
@safe
struct VariablePool: ~Copyable {
    private struct Node: BitwiseCopyable {
        var value: UInt32
        var next: UInt32
        var name: UInt16
    }

    private let nodes: UnsafeMutablePointer<Node>
    private let capacity: Int
    private var used: UInt32 = 0
    private var free: UInt32 = 0

    init(capacity: Int) {
        self.capacity = capacity
        unsafe nodes = unsafe calloc(capacity + 1, MemoryLayout<Node>.stride)!
            .bindMemory(to: Node.self, capacity: capacity + 1)
    }

    deinit { unsafe Glibc.free(nodes) }

    var memoryBytes: Int { (capacity + 1) * MemoryLayout<Node>.stride }

    func value(_ name: UInt16, _ head: UInt32) -> UInt32? {
        var index = head
        while index != 0 {
            let node = unsafe nodes + Int(index)
            if unsafe node.pointee.name == name { return unsafe node.pointee.value }
            index = unsafe node.pointee.next
        }
        return nil
    }

    /// Returns false if there is no room.
    mutating func set(_ name: UInt16, _ value: UInt32, _ head: inout UInt32) -> Bool {
        var index = head
        while index != 0 {
            let node = unsafe nodes + Int(index)
            if unsafe node.pointee.name == name {
                unsafe node.pointee.value = value
                return true
            }
            index = unsafe node.pointee.next
        }
        if free != 0 {
            index = free
            free = unsafe nodes[Int(index)].next
        } else {
            guard Int(used) < capacity else { return false }
            used += 1
            index = used
        }
        unsafe nodes[Int(index)] = Node(value: value, next: head, name: name)
        head = index
        return true
    }

    mutating func remove(_ name: UInt16, _ head: inout UInt32) {
        var index = head
        var before: UInt32 = 0
        while index != 0 {
            let next = unsafe nodes[Int(index)].next
            if unsafe nodes[Int(index)].name == name {
                if before == 0 { head = next } else { unsafe nodes[Int(before)].next = next }
                unsafe nodes[Int(index)].next = free
                free = index
                return
            }
            before = index
            index = next
        }
    }

    mutating func removeAll(_ head: inout UInt32) {
        while head != 0 {
            let next = unsafe nodes[Int(head)].next
            unsafe nodes[Int(head)].next = free
            free = head
            head = next
        }
    }
}

extension FlowTable {
    /// What rules remember of a flow: `name` is theirs, the same for bits and integers.
    public func isSet(_ name: UInt16, _ flow: UnsafeMutablePointer<Flow>) -> Bool {
        unsafe variables.value(name, flow.pointee.variables) != nil
    }

    public func integer(_ name: UInt16, _ flow: UnsafeMutablePointer<Flow>) -> UInt32? {
        unsafe variables.value(name, flow.pointee.variables)
    }

    /// Without room it is counted and forgotten.
    public mutating func set(_ name: UInt16, _ value: UInt32, _ flow: UnsafeMutablePointer<Flow>) {
        if unsafe !variables.set(name, value, &flow.pointee.variables) { counters.variablesLost &+= 1 }
    }

    public mutating func unset(_ name: UInt16, _ flow: UnsafeMutablePointer<Flow>) {
        unsafe variables.remove(name, &flow.pointee.variables)
    }
}
