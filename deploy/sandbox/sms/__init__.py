"""An SMS provider that speaks Aliyun dysmsapi 2017-05-25."""
