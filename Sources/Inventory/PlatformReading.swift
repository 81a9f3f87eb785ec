/// One file that cannot be used is no reason not to use the others.
enum PlatformReading {
    static func attempt(
        _ path: String, _ problems: inout [InventoryProblem], _ body: () throws(InventoryProblem) -> Void
    ) {
        do throws(InventoryProblem) {
            try body()
        } catch {
            var problem = error
            if problem.file.isEmpty { problem.file = path }
            problems.append(problem)
        }
    }

    static func names(in folder: String, ending: String, _ problems: inout [InventoryProblem]) -> [String] {
        var names: [String] = []
        attempt(folder, &problems) { () throws(InventoryProblem) in
            names = try PlatformFile.names(in: folder, ending: ending)
        }
        return names
    }

    /// The guests that a platform has, as far as its files can be read.
    static func read(_ source: PlatformSource, _ problems: inout [InventoryProblem]) -> [PlatformGuest] {
        switch source.platform {
        case .libvirt: LibvirtReader(folder: source.path, platform: nil).read(&problems)
        case .openstack: LibvirtReader(folder: source.path, platform: .openstack).read(&problems)
        case .proxmox: ProxmoxReader(folder: source.path).read(&problems)
        case .file: GuestListReader(path: source.path).read(&problems)
        }
    }
}
