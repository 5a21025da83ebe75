export { init } from 'echarts/core';
import { use } from 'echarts/core';
import { BarChart, BoxplotChart, LineChart, ScatterChart } from 'echarts/charts';
import { GridComponent, TooltipComponent, LegendComponent } from 'echarts/components';
import { SVGRenderer } from 'echarts/renderers';
use([BarChart, BoxplotChart, LineChart, ScatterChart, GridComponent, TooltipComponent, LegendComponent, SVGRenderer]);
