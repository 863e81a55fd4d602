"""Words and pictures made from records: table, JSON, JUnit, HTML page, figures. It measures nothing."""
