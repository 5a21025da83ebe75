using System.Text.Json.Nodes;
using Tinctor.Slides.Annotations;

namespace Tinctor.Slides.Tests;

public sealed class GeoJsonFileTests : InTemporaryFolder
{
    [Fact]
    public void Map_moves_coordinates_of_all_geometries()
    {
        string input = At("in.geojson"), output = At("out.geojson");
        File.WriteAllText(input, """
            {"type": "FeatureCollection", "bbox": [0, 0, 1, 1], "features": [
              {"type": "Feature", "geometry": {"type": "Point", "coordinates": [10, 20, 3]},
              "properties": {"name": "a", "coordinates": "kept"}},
              {"type": "Feature", "geometry": {"type": "MultiPolygon", "coordinates": [[[[1, 2], [3, 4], [5, 6], [1, 2]]]]},
               "nucleusGeometry": {"type": "Polygon", "coordinates": [[[1.5, 2.5], [3, 4], [1.5, 2.5]]]}},
              {"type": "Feature", "geometry": {"type": "GeometryCollection",
              "geometries": [{"type": "LineString", "coordinates": [[0, 0], [7, 7]]}]}}]}
            """);
        GeoJsonFile.Map(input, output, (x, y) => (y + 100, x));
        JsonNode json = JsonNode.Parse(File.ReadAllText(output))!;
        // Corner coordinates: the swapped axes keep the half pixel.
        Assert.Equal("[120,10,3]", json["features"]![0]!["geometry"]!["coordinates"]!.ToJsonString());
        Assert.Equal("kept", (string)json["features"]![0]!["properties"]!["coordinates"]!);
        Assert.Equal("[[[[102,1],[104,3],[106,5],[102,1]]]]", json["features"]![1]!["geometry"]!["coordinates"]!.ToJsonString());
        Assert.Equal("[[[102.5,1.5],[104,3],[102.5,1.5]]]", json["features"]![1]!["nucleusGeometry"]!["coordinates"]!.ToJsonString());
        Assert.Equal("[[100,0],[107,7]]", json["features"]![2]!["geometry"]!["geometries"]![0]!["coordinates"]!.ToJsonString());
        Assert.Null(json["bbox"]);
        File.WriteAllText(input, "{\"type\": ");
        Assert.Contains(input, Assert.Throws<TinctorException>(() => GeoJsonFile.Map(input, output, (x, y) => (x, y))).Message);
        File.WriteAllText(input, "{\"type\": \"FeatureCollection\"}");
        Assert.Contains("no coordinates", Assert.Throws<TinctorException>(() => GeoJsonFile.Map(input, output, (x, y) => (x, y))).Message);
        Assert.Contains("no such file",
            Assert.Throws<TinctorException>(() => GeoJsonFile.Map(At("none.geojson"), output, (x, y) => (x, y))).Message);
    }
}
