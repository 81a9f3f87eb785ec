/// What the sensor is started with: everything on.
enum SensorConfiguration {
    static let yaml = """
        """
}
